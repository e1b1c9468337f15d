#include "checkpoint/cast.h"

#include <cstring>

#include "checkpoint/quant/floats.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

template <class From, class Convert>
void convert_to(std::span<const std::byte> bytes, std::span<float> out, Convert&& convert) {
  HELIO_CHECK(bytes.size() == out.size() * sizeof(From), "a buffer that does not fit the values");
  for (size_t i = 0; i < out.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    out[i] = convert(value);
  }
}

template <class To, class Convert>
void convert_from(std::span<const float> values, std::span<std::byte> out, Convert&& convert) {
  HELIO_CHECK(out.size() == values.size() * sizeof(To), "a buffer that does not fit the values");
  for (size_t i = 0; i < values.size(); ++i) {
    const To value = convert(values[i]);
    std::memcpy(out.data() + i * sizeof value, &value, sizeof value);
  }
}

}  // namespace

bool is_castable(DType dtype) {
  return dtype == DType::f64 || dtype == DType::f32 || dtype == DType::f16 ||
         dtype == DType::bf16 || dtype == DType::f8_e4m3 || dtype == DType::f8_e5m2;
}

void to_floats(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  switch (dtype) {
    case DType::f64:
      return convert_to<double>(bytes, out, [](double x) { return static_cast<float>(x); });
    case DType::f32:
      return convert_to<float>(bytes, out, [](float x) { return x; });
    case DType::f16:
      return convert_to<uint16_t>(bytes, out, half_to_float);
    case DType::bf16:
      return convert_to<uint16_t>(bytes, out, bfloat_to_float);
    case DType::f8_e4m3:
      return convert_to<uint8_t>(bytes, out, e4m3_to_float);
    case DType::f8_e5m2:
      return convert_to<uint8_t>(bytes, out, e5m2_to_float);
    default:
      throw Error(ErrorKind::invalid,
                  "values of dtype " + std::string(dtype_name(dtype)) + " are no weights")
          .with_hint("floating-point tensors are F64, F32, F16, BF16, F8_E4M3 and F8_E5M2");
  }
}

void from_floats(DType dtype, std::span<const float> values, std::span<std::byte> out) {
  switch (dtype) {
    case DType::f64:
      return convert_from<double>(values, out, [](float x) { return static_cast<double>(x); });
    case DType::f32:
      return convert_from<float>(values, out, [](float x) { return x; });
    case DType::f16:
      return convert_from<uint16_t>(values, out, float_to_half);
    case DType::bf16:
      return convert_from<uint16_t>(values, out, float_to_bfloat);
    default:
      throw Error(ErrorKind::invalid,
                  "weights are not written as " + std::string(dtype_name(dtype)))
          .with_hint("written are float64, float32, float16 and bfloat16");
  }
}

DType dtype_of_word(std::string_view word) {
  if (word == "float32") return DType::f32;
  if (word == "bfloat16") return DType::bf16;
  if (word == "float16") return DType::f16;
  if (word == "float64") return DType::f64;
  throw Error(ErrorKind::usage, "'" + std::string(word) + "' is no dtype of weights")
      .with_hint("choose float32, bfloat16, float16 or float64");
}

std::string_view word_of_dtype(DType dtype) {
  if (dtype == DType::bf16) return "bfloat16";
  if (dtype == DType::f16) return "float16";
  if (dtype == DType::f64) return "float64";
  return "float32";
}

}  // namespace helio::checkpoint
