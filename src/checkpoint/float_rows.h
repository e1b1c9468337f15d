// Rows of a floating-point matrix as stored in a checkpoint, read and written through float64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "checkpoint/safetensors.h"

namespace helio::checkpoint {

// Whether FloatRows can read it: F64, F32, F16, BF16.
bool is_float(DType dtype);

class FloatRows {
 public:
  // `data` holds whole rows of `width` elements each and must outlive this.
  FloatRows(std::span<const std::byte> data, DType dtype, int64_t width);

  int64_t rows() const { return rows_; }
  int64_t width() const { return width_; }
  std::span<const std::byte> bytes(int64_t row) const;
  // Adds a row to `sum` (width elements).
  void add(int64_t row, std::span<double> sum) const;

 private:
  std::span<const std::byte> data_;
  DType dtype_;
  int64_t width_, rows_;
};

// Stores values in `dtype`, each rounded once, to nearest, ties to even; too large ones become
// infinite. `to` has a place for every value.
void store_floats(std::span<const double> values, DType dtype, std::span<std::byte> to);

}  // namespace helio::checkpoint
