// The tensors that a decoder of a known family must have, from its config.json alone: names and
// shapes as transformers 5 makes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::checkpoint {

struct ExpectedTensor {
  std::string name = {};
  std::vector<int64_t> shape = {};
  bool optional = false;  // a head that is tied may be there all the same
};

// By model_type: llama, mistral, qwen2, qwen3, gemma, gemma2, gemma3_text, phi3. Nothing for
// another. Throws invalid naming `source` and a key that is missing or no count.
std::optional<std::vector<ExpectedTensor>> expected_tensors(const OrderedJson& config,
                                                            const std::string& source);

// Compares; each line says one difference ("tensor 'x' is missing"). Empty: they agree.
struct FoundTensor {
  std::string name = {};
  std::vector<int64_t> shape = {};
};
std::vector<std::string> tensor_differences(const std::vector<ExpectedTensor>& expected,
                                            const std::vector<FoundTensor>& found);

}  // namespace helio::checkpoint
