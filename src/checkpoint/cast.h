// Between the floating-point dtypes of safetensors, through f32 as torch does.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "checkpoint/safetensors.h"

namespace helio::checkpoint {

// F64, F32, F16, BF16, F8_E4M3 and F8_E5M2 are read; whole numbers and booleans are not weights.
bool is_castable(DType dtype);

// Values as f32: exact but for F64, which is rounded to nearest even.
void to_floats(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

// F64, F32, F16 or BF16 from f32, rounded to nearest even; too large becomes infinite, as in
// torch's `.to`.
void from_floats(DType dtype, std::span<const float> values, std::span<std::byte> out);

// "float32", "float16", "bfloat16", "float64" as config.json has them; throws usage on another.
DType dtype_of_word(std::string_view word);
std::string_view word_of_dtype(DType dtype);

}  // namespace helio::checkpoint
