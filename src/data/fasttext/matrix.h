// Rows of a model's matrices: adding them up and multiplying with them, dense or quantised.
//
// Sums go in four lanes whatever the machine is, so that scores are the same everywhere.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "data/fasttext/format.h"

namespace helio::data::fasttext {

using Lanes = float __attribute__((vector_size(16)));

inline Lanes load_lanes(const char* bytes) {
  Lanes value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}
inline void store_lanes(float* to, Lanes value) { std::memcpy(to, &value, sizeof value); }
inline float load_float(const char* bytes) {
  float value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// sum[0..dim) += row
inline void add_floats(float* sum, const char* row, size_t dim) {
  size_t i = 0;
  for (; i + 4 <= dim; i += 4)
    store_lanes(sum + i,
                load_lanes(reinterpret_cast<const char*>(sum + i)) + load_lanes(row + i * 4));
  for (; i < dim; ++i) sum[i] += load_float(row + i * 4);
}

class Rows {
 public:
  // Quantised rows are unpacked when that takes less than this.
  static constexpr int64_t kMostUnpacked = int64_t(256) << 20;

  explicit Rows(const Matrix& matrix) : matrix_(matrix), dim_(size_t(matrix.columns)) {
    if (!matrix.quantised) {
      dense_ = matrix.dense.data();
      return;
    }
    if (matrix.rows > kMostUnpacked / 4 / matrix.columns) return;
    unpacked_.assign(size_t(matrix.rows) * dim_, 0.0f);
    for (int64_t row = 0; row < matrix.rows; ++row)
      add_quantised(unpacked_.data() + size_t(row) * dim_, row);
    dense_ = reinterpret_cast<const char*>(unpacked_.data());
  }

  int64_t rows() const { return matrix_.rows; }
  // The row's floats when they lie somewhere; null when they have to be unpacked.
  const char* dense(int64_t row) const {
    return dense_ ? dense_ + size_t(row) * dim_ * sizeof(float) : nullptr;
  }
  void add_to(float* sum, int64_t row) const {
    if (dense_) add_floats(sum, dense(row), dim_);
    else add_quantised(sum, row);
  }
  float dot(const float* vector, int64_t row) const {
    if (dense_) return dot_floats(vector, dense(row));
    std::vector<float> values(dim_, 0.0f);
    add_quantised(values.data(), row);
    return dot_floats(vector, reinterpret_cast<const char*>(values.data()));
  }

 private:
  float dot_floats(const float* vector, const char* row) const {
    Lanes lanes = {};
    size_t i = 0;
    for (; i + 4 <= dim_; i += 4)
      lanes += load_lanes(reinterpret_cast<const char*>(vector + i)) * load_lanes(row + i * 4);
    float sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    for (; i < dim_; ++i) sum += vector[i] * load_float(row + i * 4);
    return sum;
  }
  void add_quantised(float* sum, int64_t row) const {
    const auto& pq = matrix_.quantizer;
    float norm = 1;
    if (!matrix_.norm_codes.empty())
      norm =
          load_float(matrix_.norm_quantizer.centroids.data() +
                     sizeof(float) * matrix_.norm_quantizer.centroid(
                                         0, static_cast<uint8_t>(matrix_.norm_codes[size_t(row)])));
    const char* const codes = matrix_.codes.data() + size_t(row) * size_t(pq.parts);
    for (int32_t part = 0; part < pq.parts; ++part) {
      const char* from = pq.centroids.data() +
                         sizeof(float) * pq.centroid(part, static_cast<uint8_t>(codes[part]));
      const int32_t width = part == pq.parts - 1 ? pq.last_width : pq.width;
      for (int32_t i = 0; i < width; ++i)
        sum[size_t(part) * size_t(pq.width) + size_t(i)] += norm * load_float(from + i * 4);
    }
  }

  Matrix matrix_;
  size_t dim_;
  const char* dense_ = nullptr;
  std::vector<float> unpacked_ = {};
};

}  // namespace helio::data::fasttext
