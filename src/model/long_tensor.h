// Ids, positions and places as a tensor of int64.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

namespace helio::model {

template <class T>
at::Tensor long_tensor(const std::vector<T>& values) {
  at::Tensor tensor =
      at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions(at::kLong));
  std::copy(values.begin(), values.end(), tensor.template mutable_data_ptr<int64_t>());
  return tensor;
}

}  // namespace helio::model
