// From ggml's tensor types to f32. Bit-equal to PyPI's gguf 0.19.0 (gguf.quants.dequantize), which
// is ggml's own arithmetic.
#pragma once

#include <cstddef>
#include <span>

#include "core/gguf.h"

namespace helio::checkpoint {

// F32, F64, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS, MXFP4. (F64 is
// rounded.)
bool can_dequantise(GgmlType type);

// `bytes` holds whole blocks of `type`, `out` has room for exactly their elements. A type that
// can_dequantise() denies throws invalid naming it.
void dequantise(GgmlType type, std::span<const std::byte> bytes, std::span<float> out);

}  // namespace helio::checkpoint
