// What llama.cpp calls the tensors of a Hugging Face model, and how it stores them otherwise.
// Source: llama.cpp's convert_hf_to_gguf.py and PyPI gguf 0.19.0 (tensor_mapping.py).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/json.h"

namespace helio::checkpoint {

struct GgufFamily {
  std::string_view arch;          // general.architecture: "llama"
  std::string_view architecture;  // transformers' class: "LlamaForCausalLM"
  std::string_view model_type;    // "llama"
  // Rows of q and k are interleaved for llama.cpp's way to rotate pairs.
  bool permuted = false;
  // Norms hold 1 + weight.
  bool norm_plus_one = false;
  // Norms behind attention and MLP, too; fused projections.
  bool four_norms = false, fused = false;
};

// By general.architecture; throws invalid naming it and those that are known.
const GgufFamily& gguf_family(std::string_view arch, const std::string& source);
// By config.json's "architectures" (Mistral's and Solar's are llama); throws invalid likewise.
const GgufFamily& family_of_config(const OrderedJson& config, const std::string& source);

// "blk.3.attn_q.weight" is "model.layers.3.self_attn.q_proj.weight". Nothing for names that the
// family does not have.
std::optional<std::string> hugging_face_name(const GgufFamily& family, std::string_view gguf_name);
std::optional<std::string> gguf_name(const GgufFamily& family, std::string_view hugging_face_name);

// Rows interleaved? Which of the two projections a name is.
enum class Projection { other, query, key };
Projection projection_of(std::string_view hugging_face_name);

}  // namespace helio::checkpoint
