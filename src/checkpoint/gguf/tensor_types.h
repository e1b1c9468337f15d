// Which type each tensor of an exported GGUF file gets: llama.cpp's own mix (llama-quantize
// without an importance matrix; llama-quant.cpp as of llama.cpp of October 2026).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/gguf.h"

namespace helio::checkpoint {

enum class ExportType { f32, f16, bf16, q8_0, q4_0, q4_k_m, q6_k };

// "q4_k_m"; throws usage on another word.
ExportType export_type_of(std::string_view word);
// general.file_type.
uint32_t file_type_number(ExportType type);
bool is_quantised(ExportType type);

struct ModelOutline {
  int64_t layers = 0;
  bool separate_head = false;  // has output.weight
  // Llama 2 and 3 of 70B: 80 layers whose keys and values 8 heads share.
  bool is_70b = false;
};
// `name` is GGUF's.
GgmlType tensor_type(ExportType type, const ModelOutline& model, std::string_view name,
                     const std::vector<int64_t>& shape);

}  // namespace helio::checkpoint
