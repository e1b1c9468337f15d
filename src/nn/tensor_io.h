// safetensors files as tensors and back.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"

namespace helio::nn {

at::ScalarType scalar_type(checkpoint::DType dtype);  // throws invalid: a type LibTorch lacks
checkpoint::DType file_dtype(at::ScalarType type);
// "float32", "bfloat16", "float16", "float64" as config.json writes them; throws invalid otherwise.
at::ScalarType parse_scalar_type(std::string_view name);
std::string_view config_dtype(at::ScalarType type);

// A copy in the file's own type.
at::Tensor read_tensor(const checkpoint::SafeTensors& file, const checkpoint::TensorInfo& info);
// Fills `into`, converting to its type. Floating-point types only; a shape that differs is an error
// that names the tensor and both shapes.
void read_tensor_into(const checkpoint::SafeTensors& file, const checkpoint::TensorInfo& info,
                      at::Tensor into);

struct NamedTensor {
  std::string name = {};
  at::Tensor tensor = {};
};
// Tensors are written in their own type.
void write_tensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors);

}  // namespace helio::nn
