// A Hugging Face config.json as written, and the typed view of a Llama-like decoder. Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::checkpoint {

struct RopeScaling {
  std::string type = "default";  // "default", "linear", "llama3"
  double factor = 1, low_freq_factor = 1, high_freq_factor = 4;
  int64_t original_max_position = 0;
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

  int64_t parameters() const;  // count, tied head counted once
  int64_t parameters_per_layer() const;
};

// Reads config.json of `dir`; an architecture we do not run is an error that names those we do.
DecoderConfig load_decoder_config(const std::filesystem::path& dir);
DecoderConfig parse_decoder_config(const Json& config, const std::string& source);
// A config.json that transformers 4 and 5 both read (rope_theta and rope_parameters, torch_dtype
// and dtype).
OrderedJson decoder_config_json(const DecoderConfig& config);

}  // namespace helio::checkpoint
