// fastText's model files (.bin and the quantised .ftz, format version 11 and 12) as they stand on
// disk: parsed into views over the mapped file, nothing copied, everything checked.
//
// After parse_model_file() every number that is used as a size, an index or a divisor is in range:
// rows of the matrices, codes, buckets, the pruned dictionary. Weights are not looked at.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helio::data::fasttext {

inline constexpr int32_t kMagic = 793712314;
inline constexpr int32_t kVersion = 12;
inline constexpr std::string_view kLabelPrefix = "__label__";
inline constexpr std::string_view kEndOfLine = "</s>";

enum class Loss : int32_t { hierarchical_softmax = 1, negative_sampling, softmax, one_vs_all };

// The numbers a model was trained with, in the file's order.
struct Args {
  int32_t dim = 0, ws = 5, epoch = 5, min_count = 1, neg = 5, word_ngrams = 1;
  Loss loss = Loss::softmax;
  int32_t model = 3;  // supervised: the only kind that has labels
  int32_t bucket = 0, minn = 0, maxn = 0, lr_update_rate = 100;
  double t = 1e-4;
};

// Sub-vectors of rows, each one of 256 centroids.
struct ProductQuantizer {
  int32_t dim = 0, parts = 0, width = 0, last_width = 0;
  std::string_view centroids = {};  // 256 * dim floats, unaligned

  // Where the centroid of one part starts, in floats.
  size_t centroid(int32_t part, uint8_t code) const {
    if (part == parts - 1)
      return size_t(part) * 256 * size_t(width) + size_t(code) * size_t(last_width);
    return (size_t(part) * 256 + code) * size_t(width);
  }
};

struct Matrix {
  int64_t rows = 0, columns = 0;
  std::string_view dense = {};  // rows * columns floats, unaligned; empty when quantised
  bool quantised = false;
  std::string_view codes = {};       // rows * quantizer.parts
  std::string_view norm_codes = {};  // rows, when the norms are quantised apart
  ProductQuantizer quantizer = {}, norm_quantizer = {};
};

struct ModelFile {
  Args args = {};
  int32_t version = kVersion;
  std::vector<std::string_view> words = {};
  std::vector<std::string_view> labels = {};  // with their prefix
  std::vector<int64_t> word_counts = {}, label_counts = {};
  int64_t tokens = 0;
  bool pruned = false;                                         // only the buckets listed have a row
  std::vector<std::pair<int32_t, int32_t>> kept_buckets = {};  // bucket, row after the words
  Matrix input = {}, output = {};
};

// Error{invalid} that names `source`, the byte and what was expected there. `bytes` must outlive
// the result.
ModelFile parse_model_file(std::string_view bytes, const std::string& source);

}  // namespace helio::data::fasttext
