// From f32 to ggml's tensor types, as llama.cpp's own quantiser does without an importance matrix.
// Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0 are bit-equal to PyPI's gguf 0.19.0 (gguf.quants.quantize);
// Q4_K, Q5_K and Q6_K to ggml's quantize_row_*_ref.
#pragma once

#include <cstddef>
#include <span>

#include "core/gguf.h"

namespace helio::checkpoint {

// F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K.
bool can_quantise(GgmlType type);

// `values` are whole blocks of `type`, `out` has room for exactly their bytes. Throws invalid for a
// type that can_quantise() denies and, but for F32, F16 and BF16, for values that are not finite
// or too large for the block's f16 scale.
void quantise(GgmlType type, std::span<const float> values, std::span<std::byte> out);

}  // namespace helio::checkpoint
