// A Hugging Face config.json as written, and the typed view of a decoder: what the families have in
// common, and what they do differently. Torch-free. One file a family: checkpoint/families.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::checkpoint {

// How rotary frequencies are scaled for contexts longer than the first training's: the methods and
// keys of transformers 5's rope_parameters.
struct RopeScaling {
  std::string type = "default";  // default, linear, dynamic, llama3, yarn, longrope
  double factor = 1, low_freq_factor = 1, high_freq_factor = 4;
  // Tokens of the first training (llama3, yarn, longrope); for dynamic, max_position_embeddings.
  int64_t original_max_position = 0;
  // yarn
  double beta_fast = 32, beta_slow = 1;
  std::optional<double> mscale = {}, mscale_all_dim = {};
  bool truncate = true;
  std::optional<double> attention_factor = {};              // yarn, longrope: said, not derived
  std::vector<double> short_factor = {}, long_factor = {};  // longrope: one a frequency
  bool operator==(const RopeScaling&) const = default;

  // Do the frequencies depend on how long the sequence is?
  bool follows_length() const { return type == "dynamic" || type == "longrope"; }
};

enum class LayerKind { full, sliding };  // what a token attends to: all before it, or a window
// Where a block's norms stand: on its input (Llama), on its output (OLMo 2) or on both (Gemma 2).
enum class NormPlacement { before, after, around };
// RMSNorm's weight is applied after rounding to the input's type, before it, or as 1 + weight.
enum class NormWeight { rounded, exact, plus_one };
enum class QkNorm { none, each_head, all_heads };  // RMSNorm of queries and keys before rotation
enum class Activation { silu, gelu_tanh };
enum class ExpertNames { mlp_experts, block_sparse_moe };  // of Qwen, of Mixtral

// The rotation of sliding layers where it differs from that of the others (Gemma 3).
struct SlidingRope {
  double theta = 10000;
  RopeScaling scaling = {};
  bool operator==(const SlidingRope&) const = default;
};

// Feed-forward layers of which a router picks a few for each token.
struct Experts {
  int64_t count = 0;        // 0: ordinary feed-forward layers
  int64_t per_token = 0;    // experts a token is sent to
  int64_t width = 0;        // of each expert
  bool renormalise = true;  // the chosen experts' probabilities add up to 1
  ExpertNames names = ExpertNames::mlp_experts;
  std::vector<int64_t> dense_layers = {};  // ascending: layers without experts
};

// What a decoder needs to know. Keys whose absence would change numbers have no silent default:
// reading fails and names the key.
struct DecoderConfig {
  std::string architecture = "LlamaForCausalLM", model_type = "llama";
  int64_t vocab_size = 0, hidden_size = 0, intermediate_size = 0;
  int64_t layers = 0, heads = 0, kv_heads = 0, head_dim = 0;
  double rms_norm_eps = 1e-5, rope_theta = 10000;
  RopeScaling rope = {};
  int64_t max_positions = 0;
  bool tied_embeddings = false;
  std::string dtype = "float32";
  std::optional<int64_t> bos = {}, eos = {}, pad = {};
  double initializer_range = 0.02;

  // What the families do differently; the defaults are Llama's.
  NormPlacement norm_placement = NormPlacement::before;
  NormWeight norm_weight = NormWeight::rounded;
  QkNorm qk_norm = QkNorm::none;
  Activation activation = Activation::silu;
  bool qkv_bias = false, output_bias = false, mlp_bias = false;
  bool fused_projections = false;  // qkv_proj and gate_up_proj are stored as one (Phi-3)
  bool scaled_embedding = false;   // embeddings times sqrt(hidden_size) (Gemma)
  double rotary_share = 1;         // share of a head's dimensions that rotates
  int64_t query_scalar = 0;        // scores are divided by its root; 0: head_dim
  double attention_softcap = 0, logit_softcap = 0;  // x becomes c tanh(x / c); 0: not capped
  int64_t window = 0;                       // tokens a sliding layer's token sees, itself included
  std::vector<LayerKind> layer_kinds = {};  // one a layer; empty: all full
  std::optional<SlidingRope> sliding_rope = {};
  Experts experts = {};

  bool slides(int64_t layer) const {
    return !layer_kinds.empty() && layer_kinds[size_t(layer)] == LayerKind::sliding;
  }
  bool has_experts(int64_t layer) const;
  // The longest sequence the model is made for: max_positions, more where the scaling says how
  // much (dynamic: times its factor; yarn: the original length times its factor).
  int64_t longest_sequence() const;

  int64_t parameters() const;            // count, tied head counted once
  int64_t active_parameters() const;     // those a token meets: of the experts, the chosen ones
  int64_t parameters_per_layer() const;  // of the first layer
};

// Reads config.json of `dir`; an architecture we do not run is an error that names those we do.
DecoderConfig load_decoder_config(const std::filesystem::path& dir);
DecoderConfig parse_decoder_config(const Json& config, const std::string& source);
// A config.json that transformers 4 and 5 both read (rope_theta and rope_parameters, torch_dtype
// and dtype).
OrderedJson decoder_config_json(const DecoderConfig& config);
// Names of the architectures that parse_decoder_config takes, ascending.
std::vector<std::string> decoder_architectures();

}  // namespace helio::checkpoint
