#include "nn/product_kernels.h"

#include <algorithm>
#include <cmath>

#include "checkpoint/quant/floats.h"
#include "nn/processor.h"

namespace helio::nn {
namespace {

using checkpoint::bfloat_to_float;
using checkpoint::half_to_float;

void quantise_row(const float* x, int64_t width, int32_t zero, int8_t* codes, float* scales,
                  int32_t* offsets) {
  for (int64_t b = 0; b * kBlock < width; ++b, x += kBlock, codes += kTokenGroup * kBlock) {
    const int64_t count = std::min(kBlock, width - b * kBlock);
    float most = 0;
    for (int64_t i = 0; i < count; ++i) most = std::max(most, std::fabs(x[i]));
    const float inverse = most > 0 ? 127 / most : 0;
    int32_t sum = 0;
    for (int64_t i = 0; i < kBlock; ++i) {
      codes[i] = i < count ? static_cast<int8_t>(std::nearbyint(x[i] * inverse)) : int8_t{0};
      sum += codes[i];
    }
    scales[b * kTokenGroup] = most / 127;
    offsets[b * kTokenGroup] = -zero * sum;
  }
}

// Of a token's block, in blocks.
int64_t place_of(int64_t token, int64_t block, int64_t blocks) {
  return (token / kTokenGroup * blocks + block) * kTokenGroup + token % kTokenGroup;
}

void put(const PanelJob& job, int64_t token, int64_t column, float value) {
  float& place = job.out[token * job.out_row + column];
  place = job.output == Output::add ? place + value : value;
}

// `stored(block, row, column)` is what the panel has there.
template <class Stored>
void quantised_panel(const PanelJob& job, const Stored& stored) {
  for (int64_t t = 0; t < job.tokens; ++t) {
    for (int64_t r = 0; r < job.columns; ++r) {
      float total = 0;
      for (int64_t b = 0; b < job.blocks; ++b) {
        int32_t sum = job.offsets[place_of(t, b, job.blocks)];
        for (int64_t k = 0; k < kBlock; ++k)
          sum += stored(b, r, k) * job.codes[place_of(t, b, job.blocks) * kBlock + k];
        total += static_cast<float>(sum) * half_to_float(job.scales[b * kPanelRows + r]) *
                 job.code_scales[place_of(t, b, job.blocks)];
      }
      put(job, t, r, total);
    }
  }
}

void int8_panel(const PanelJob& job) {
  const auto* data = static_cast<const uint8_t*>(job.weights);
  quantised_panel(job, [&](int64_t b, int64_t r, int64_t k) -> int32_t {
    return data[b * 512 + k / 4 * 64 + r * 4 + k % 4];
  });
}

void int4_panel(const PanelJob& job) {
  const auto* data = static_cast<const uint8_t*>(job.weights);
  quantised_panel(job, [&](int64_t b, int64_t r, int64_t k) -> int32_t {
    const int64_t in = k % 16;
    const uint8_t both = data[b * 256 + in / 4 * 64 + r * 4 + in % 4];
    return k < 16 ? both & 15 : both >> 4;
  });
}

void bf16_panel(const PanelJob& job) {
  const auto* data = static_cast<const uint16_t*>(job.weights);
  for (int64_t t = 0; t < job.tokens; ++t) {
    for (int64_t r = 0; r < job.columns; ++r) {
      float sum = 0;
      for (int64_t k = 0; k < job.blocks * kBlock; ++k)
        sum += bfloat_to_float(data[k / 2 * 2 * kPanelRows + r * 2 + k % 2]) *
               job.x[place_of(t, k / kBlock, job.blocks) * kBlock + k % kBlock];
      put(job, t, r, sum);
    }
  }
}

void f32_rows(const PanelJob& job) {
  const auto* data = static_cast<const float*>(job.weights);
  for (int64_t t = 0; t < job.tokens; ++t) {
    for (int64_t r = 0; r < job.columns; ++r) {
      float sum = 0;
      for (int64_t k = 0; k < job.width; ++k)
        sum += data[r * job.width + k] * job.x[t * job.x_row + k];
      put(job, t, r, sum);
    }
  }
}

}  // namespace

const ProductKernels& plain_product_kernels() {
  static constexpr ProductKernels table = {"plain",    quantise_row, int8_panel,
                                           int4_panel, bf16_panel,   f32_rows};
  return table;
}

const ProductKernels& product_kernels() {
  const Processor& has = processor();
  switch (chosen_kernels({.avx2 = has.avx2 && has.f16c, .avx512 = has.avx512_bytes})) {
    case KernelSet::avx512:
      return chosen_bf16_products() ? avx512_bf16_product_kernels() : avx512_product_kernels();
    case KernelSet::avx2:
      return avx2_product_kernels();
    case KernelSet::none:
      break;
  }
  return plain_product_kernels();
}

}  // namespace helio::nn
