// Weight matrices in the form that products on the CPU read fastest (nn/product_kernels.h), for
// running a model, not for training it: no gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/product_kernels.h"
#include "nn/team.h"

namespace helio::nn {

// f32: the tensors themselves. bf16: rounded to bfloat16, products in f32. bf16_both: the same
// weights, and activations are rounded to bfloat16 for each product, whose sums are f32: the error
// is at most 2^-8 * sum |activation * weight|, besides f32 rounding. int8, int4: ggml's Q8_0
// and Q4_0 (blocks of 32 with a f16 scale); in products, activations become 8-bit codes by blocks
// of 32 with a scale each (largest / 127), as in llama.cpp: a product's error is at most sum over
// blocks of (largest activation / 254) * sum |weight|, besides f32 rounding.
enum class WeightFormat { f32, bf16, bf16_both, int8, int4 };
std::string_view weight_format_name(WeightFormat format);

// Rows of activations [rows, width], as the products of one format read them. Made once, used by
// every product of these rows.
class Activations {
 public:
  // Room for so many rows; kept from one layer to the next.
  void prepare(WeightFormat format, int64_t rows, int64_t width);
  // Row `row` from `x`: safe for different rows at the same time.
  void set_row(int64_t row, const float* x);
  int64_t rows() const { return rows_; }

 private:
  friend class PackedWeight;
  WeightFormat format_ = WeightFormat::f32;
  const ProductKernels* kernels_ = nullptr;  // for which they are laid out
  int64_t rows_ = 0, width_ = 0, blocks_ = 0;
  std::vector<float> x_ = {};  // f32: rows; bf16: as PanelJob has them
  std::vector<uint16_t> rounded_ = {};
  std::vector<int8_t> codes_ = {};
  std::vector<float> scales_ = {};
  std::vector<int32_t> offsets_ = {};
};

class PackedWeight {
 public:
  PackedWeight() = default;
  // The matrices [rows, width] one under another, f32 or bf16, as one. Uses LibTorch's threads.
  PackedWeight(WeightFormat format, const std::vector<at::Tensor>& parts);

  bool defined() const { return rows_ > 0; }
  WeightFormat format() const { return format_; }
  int64_t rows() const { return rows_; }
  int64_t width() const { return width_; }
  size_t bytes() const;  // of memory of its own: none for f32

  // out [activations, rows] = activations @ weight^T, or added to it, on the threads of `phases`.
  // `out` has `out_row` floats from one row to the next.
  void product(const Activations& activations, float* out, int64_t out_row, Output output,
               Phases& phases) const;
  // x [N, width] f32 -> f32 [N, rows].
  at::Tensor product(const at::Tensor& x) const;
  // Row `row` as floats.
  void row(int64_t row, float* out) const;

 private:
  struct Part {
    at::Tensor tensor;
    const float* data;
    int64_t first_row, rows;
  };
  void pack_row(int64_t row, const float* values);
  size_t panel_bytes() const;

  WeightFormat format_ = WeightFormat::f32;
  int64_t rows_ = 0, width_ = 0, blocks_ = 0;
  std::vector<Part> parts_ = {};  // f32
  struct Free {
    void operator()(uint8_t* data) const;
  };
  std::unique_ptr<uint8_t[], Free> data_ = {};  // [panels], 64-byte aligned
  std::vector<uint16_t> scales_ = {};           // [panels][blocks][16]
};

}  // namespace helio::nn
