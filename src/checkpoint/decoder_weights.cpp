#include "checkpoint/decoder_weights.h"

namespace helio::checkpoint {
namespace {

class LayerWeights {
 public:
  LayerWeights(const DecoderConfig& config, int64_t layer)
      : c_(config), layer_(layer), at_("model.layers." + std::to_string(layer) + ".") {}

  std::vector<DecoderWeight> list(int64_t experts) {
    const bool before = c_.norm_placement != NormPlacement::after;
    const bool after = c_.norm_placement != NormPlacement::before;
    if (before) add(Role::attention_in_norm, "input_layernorm.weight", {c_.hidden_size});
    attention();
    if (after) add(Role::attention_out_norm, "post_attention_layernorm.weight", {c_.hidden_size});
    // With norms on the input alone, the second norm of a layer has the name that the others give
    // to the norm of attention's output.
    if (before)
      add(Role::mlp_in_norm,
          after ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight",
          {c_.hidden_size});
    if (c_.has_experts(layer_)) routed(experts);
    else dense();
    if (after) add(Role::mlp_out_norm, "post_feedforward_layernorm.weight", {c_.hidden_size});
    return std::move(list_);
  }

 private:
  void add(Role role, const std::string& name, std::vector<int64_t> shape) {
    list_.push_back({.role = role, .name = at_ + name, .shape = std::move(shape)});
  }

  void attention() {
    const int64_t hidden = c_.hidden_size;
    const int64_t q = c_.heads * c_.head_dim, kv = c_.kv_heads * c_.head_dim;
    const std::string at = "self_attn.";
    if (c_.fused_projections) {
      add(Role::qkv, at + "qkv_proj.weight", {q + 2 * kv, hidden});
    } else {
      add(Role::q, at + "q_proj.weight", {q, hidden});
      add(Role::k, at + "k_proj.weight", {kv, hidden});
      add(Role::v, at + "v_proj.weight", {kv, hidden});
    }
    if (c_.qkv_bias) {
      add(Role::q_bias, at + "q_proj.bias", {q});
      add(Role::k_bias, at + "k_proj.bias", {kv});
      add(Role::v_bias, at + "v_proj.bias", {kv});
    }
    if (c_.qk_norm != QkNorm::none) {
      const bool each = c_.qk_norm == QkNorm::each_head;
      add(Role::q_norm, at + "q_norm.weight", {each ? c_.head_dim : q});
      add(Role::k_norm, at + "k_norm.weight", {each ? c_.head_dim : kv});
    }
    add(Role::o, at + "o_proj.weight", {hidden, q});
    if (c_.output_bias) add(Role::o_bias, at + "o_proj.bias", {hidden});
  }

  void dense() {
    const int64_t hidden = c_.hidden_size, ffn = c_.intermediate_size;
    if (c_.fused_projections) {
      add(Role::gate_up, "mlp.gate_up_proj.weight", {2 * ffn, hidden});
    } else {
      add(Role::gate, "mlp.gate_proj.weight", {ffn, hidden});
      add(Role::up, "mlp.up_proj.weight", {ffn, hidden});
    }
    add(Role::down, "mlp.down_proj.weight", {hidden, ffn});
    if (!c_.mlp_bias) return;
    add(Role::gate_bias, "mlp.gate_proj.bias", {ffn});
    add(Role::up_bias, "mlp.up_proj.bias", {ffn});
    add(Role::down_bias, "mlp.down_proj.bias", {hidden});
  }

  void routed(int64_t experts) {
    const int64_t hidden = c_.hidden_size, ffn = c_.experts.width;
    const bool mixtral = c_.experts.names == ExpertNames::block_sparse_moe;
    const std::string at = mixtral ? "block_sparse_moe." : "mlp.";
    add(Role::router, at + "gate.weight", {c_.experts.count, hidden});
    for (int64_t i = 0; i < experts; ++i) {
      const std::string expert = at + "experts." + std::to_string(i) + ".";
      add(Role::gate, expert + (mixtral ? "w1" : "gate_proj") + ".weight", {ffn, hidden});
      add(Role::up, expert + (mixtral ? "w3" : "up_proj") + ".weight", {ffn, hidden});
      add(Role::down, expert + (mixtral ? "w2" : "down_proj") + ".weight", {hidden, ffn});
    }
  }

  const DecoderConfig& c_;
  int64_t layer_;
  std::string at_;
  std::vector<DecoderWeight> list_ = {};
};

}  // namespace

bool is_norm(Role role) {
  return role == Role::attention_in_norm || role == Role::attention_out_norm ||
         role == Role::mlp_in_norm || role == Role::mlp_out_norm || role == Role::q_norm ||
         role == Role::k_norm || role == Role::final_norm;
}

bool is_bias(Role role) {
  return role == Role::q_bias || role == Role::k_bias || role == Role::v_bias ||
         role == Role::o_bias || role == Role::gate_bias || role == Role::up_bias ||
         role == Role::down_bias;
}

bool adds_to_residual(Role role) { return role == Role::o || role == Role::down; }

int64_t DecoderWeight::elements() const {
  int64_t product = 1;
  for (const int64_t size : shape) product *= size;
  return product;
}

std::vector<DecoderWeight> layer_weights(const DecoderConfig& config, int64_t layer,
                                         int64_t experts) {
  return LayerWeights(config, layer).list(experts);
}

std::vector<DecoderWeight> outer_weights(const DecoderConfig& config) {
  const std::vector<int64_t> table = {config.vocab_size, config.hidden_size};
  std::vector<DecoderWeight> list = {
      {.role = Role::embedding, .name = "model.embed_tokens.weight", .shape = table},
      {.role = Role::final_norm, .name = "model.norm.weight", .shape = {config.hidden_size}}};
  if (!config.tied_embeddings)
    list.push_back({.role = Role::head, .name = "lm_head.weight", .shape = table});
  return list;
}

std::vector<DecoderWeight> decoder_weights(const DecoderConfig& config) {
  const std::vector<DecoderWeight> outer = outer_weights(config);
  std::vector<DecoderWeight> list = {outer.front()};
  for (int64_t i = 0; i < config.layers; ++i)
    for (DecoderWeight& weight : layer_weights(config, i, config.experts.count))
      list.push_back(std::move(weight));
  list.insert(list.end(), outer.begin() + 1, outer.end());
  return list;
}

}  // namespace helio::checkpoint
