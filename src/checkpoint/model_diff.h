// How two checkpoints differ, of any formats: tensors are matched by Hugging Face's names and
// compared as values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/monitor.h"

namespace helio::checkpoint {

struct TensorDiff {
  std::string name = {};
  std::vector<int64_t> shape_a = {}, shape_b = {};
  std::string type_a = {}, type_b = {};
  bool compared = false;  // false: other shapes, or whole numbers of two types
  int64_t elements = 0;
  int64_t different = 0;        // values that are not equal; two NaN are
  double largest = 0;           // |a - b|
  double largest_relative = 0;  // |a - b| / max(|a|, |b|)
  bool same_shape() const { return shape_a == shape_b; }
  bool same() const { return compared && different == 0; }
};

struct ModelDiff {
  std::vector<std::string> only_a = {}, only_b = {};
  std::vector<TensorDiff> tensors = {};  // in both, by name
  int64_t equal = 0;                     // of these, with equal values
  int64_t other_types = 0;               // of these, stored in another type
  bool same() const {
    return only_a.empty() && only_b.empty() && equal == static_cast<int64_t>(tensors.size());
  }
};

// A few pieces of a tensor are in memory at a time. The result does not depend on `threads`.
ModelDiff diff_models(const std::filesystem::path& a, const std::filesystem::path& b, int threads,
                      Monitor& monitor, const StopRequest& stop);

}  // namespace helio::checkpoint
