#include "checkpoint/quant/dequantise.h"

#include <cstring>

#include "checkpoint/quant/blocks.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

template <class Block>
HELIO_INLINE void decode_all(const uint8_t* in, float* out, size_t count) {
  for (size_t i = 0; i < count; ++i)
    Block::decode(in + i * Block::bytes, out + i * Block::elements);
}

// The same loop twice: with what every x86-64 has and with AVX2. Contraction is off (see
// CMakeLists.txt), so both give the same bits.
template <class Block>
void decode_plain(const uint8_t* in, float* out, size_t count) {
  decode_all<Block>(in, out, count);
}
#if defined(__x86_64__)
template <class Block>
__attribute__((target("avx2"))) void decode_avx2(const uint8_t* in, float* out, size_t count) {
  decode_all<Block>(in, out, count);
}
#endif

template <class Block>
void decode(std::span<const std::byte> bytes, std::span<float> out) {
  const size_t count = bytes.size() / Block::bytes;
  HELIO_CHECK(bytes.size() % Block::bytes == 0 && out.size() == count * Block::elements,
              "a buffer that does not fit the blocks");
  const auto* in = reinterpret_cast<const uint8_t*>(bytes.data());
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return decode_avx2<Block>(in, out.data(), count);
#endif
  decode_plain<Block>(in, out.data(), count);
}

void decode_f32(std::span<const std::byte> bytes, std::span<float> out) {
  HELIO_CHECK(bytes.size() == out.size_bytes(), "a buffer that does not fit the values");
  if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
}

void decode_f64(std::span<const std::byte> bytes, std::span<float> out) {
  HELIO_CHECK(bytes.size() == out.size() * sizeof(double), "a buffer that does not fit the values");
  for (size_t i = 0; i < out.size(); ++i) {
    double value = 0;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    out[i] = static_cast<float>(value);
  }
}

using Decoder = void (*)(std::span<const std::byte>, std::span<float>);

Decoder decoder_of(GgmlType type) {
  switch (type) {
    case GgmlType::f32:
      return decode_f32;
    case GgmlType::f64:
      return decode_f64;
    case GgmlType::f16:
      return decode<blocks::F16>;
    case GgmlType::bf16:
      return decode<blocks::Bf16>;
    case GgmlType::q4_0:
      return decode<blocks::Q4_0>;
    case GgmlType::q4_1:
      return decode<blocks::Q4_1>;
    case GgmlType::q5_0:
      return decode<blocks::Q5_0>;
    case GgmlType::q5_1:
      return decode<blocks::Q5_1>;
    case GgmlType::q8_0:
      return decode<blocks::Q8_0>;
    case GgmlType::q2_k:
      return decode<blocks::Q2_K>;
    case GgmlType::q3_k:
      return decode<blocks::Q3_K>;
    case GgmlType::q4_k:
      return decode<blocks::Q4_K>;
    case GgmlType::q5_k:
      return decode<blocks::Q5_K>;
    case GgmlType::q6_k:
      return decode<blocks::Q6_K>;
    case GgmlType::iq4_nl:
      return decode<blocks::Iq4Nl>;
    case GgmlType::iq4_xs:
      return decode<blocks::Iq4Xs>;
    case GgmlType::mxfp4:
      return decode<blocks::Mxfp4>;
    default:
      return nullptr;
  }
}

}  // namespace

bool can_dequantise(GgmlType type) { return decoder_of(type) != nullptr; }

void dequantise(GgmlType type, std::span<const std::byte> bytes, std::span<float> out) {
  const Decoder decoder = decoder_of(type);
  if (decoder == nullptr)
    throw Error(ErrorKind::invalid, "tensors of type " + std::string(ggml_type_info(type).name) +
                                        " are not read by helio")
        .with_hint(
            "read are F32, F16, BF16, Q4_0 to Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS and MXFP4; fetch "
            "the model in one of these");
  decoder(bytes, out);
}

}  // namespace helio::checkpoint
