// Qwen 3 MoE: Qwen 3 whose feed-forward layers are experts, all of them or some.
#include <algorithm>

#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

// A layer has experts unless mlp_only_layers names it or decoder_sparse_step skips it.
std::vector<int64_t> dense_layers(const ConfigKeys& keys, int64_t layers) {
  std::vector<int64_t> named;
  if (const Json* list = keys.find("mlp_only_layers")) {
    if (!list->is_array()) throw keys.bad("mlp_only_layers", *list, "a list of layer numbers");
    for (const Json& layer : *list) named.push_back(keys.integer("mlp_only_layers", layer, 0));
  }
  int64_t step = 1;
  if (const Json* said = keys.find("decoder_sparse_step"))
    step = keys.integer("decoder_sparse_step", *said);
  std::sort(named.begin(), named.end());
  std::vector<int64_t> dense;
  for (int64_t i = 0; i < layers; ++i)
    if ((i + 1) % step != 0 || std::binary_search(named.begin(), named.end(), i))
      dense.push_back(i);
  return dense;
}

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_tied(keys, config);
  read_silu(keys, config);
  read_heads(keys, config);
  read_head_dim(keys, config);
  read_attention_bias(keys, config);
  config.qk_norm = QkNorm::each_head;
  // transformers 5 calls num_experts num_local_experts when it writes.
  const char* count = keys.find("num_experts") != nullptr ? "num_experts" : "num_local_experts";
  if (keys.find(count) == nullptr) throw keys.missing("num_experts");
  config.experts = {.count = keys.need_integer(count),
                    .per_token = keys.need_integer("num_experts_per_tok"),
                    .width = keys.need_integer("moe_intermediate_size"),
                    .renormalise = keys.boolean("norm_topk_prob", keys.need("norm_topk_prob")),
                    .dense_layers = dense_layers(keys, config.layers)};
  // Here the window is for every layer: max_window_layers is not looked at.
  if (keys.boolean_or("use_sliding_window", false)) read_window_everywhere(keys, config);
  read_rope(keys, config);
}

void write(const DecoderConfig& config, OrderedJson& json) {
  json["attention_bias"] = config.qkv_bias;
  json["decoder_sparse_step"] = 1;
  json["mlp_only_layers"] = config.experts.dense_layers;
  json["moe_intermediate_size"] = config.experts.width;
  json["norm_topk_prob"] = config.experts.renormalise;
  json["num_experts"] = config.experts.count;
  json["num_experts_per_tok"] = config.experts.per_token;
  json["output_router_logits"] = false;
  json["sliding_window"] = window_json(config);
  json["use_sliding_window"] = config.window != 0;
}

constexpr Family kQwen3Moe{
    .architecture = "Qwen3MoeForCausalLM", .model_type = "qwen3_moe", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kQwen3Moe)
}  // namespace helio::checkpoint
