#include "nn/tensor_io.h"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <cstring>

#include "core/error.h"
#include "nn/torch_error.h"

namespace helio::nn {
namespace {

using checkpoint::DType;
using checkpoint::SafeTensors;
using checkpoint::TensorInfo;

struct TypePair {
  DType file;
  at::ScalarType torch;
};
constexpr TypePair kTypes[] = {{DType::f32, at::kFloat}, {DType::bf16, at::kBFloat16},
                               {DType::f16, at::kHalf},  {DType::f64, at::kDouble},
                               {DType::i64, at::kLong},  {DType::i32, at::kInt},
                               {DType::i16, at::kShort}, {DType::i8, at::kChar},
                               {DType::u8, at::kByte},   {DType::boolean, at::kBool}};

struct TypeName {
  std::string_view name;
  at::ScalarType torch;
};
constexpr TypeName kNames[] = {{"float32", at::kFloat},
                               {"bfloat16", at::kBFloat16},
                               {"float16", at::kHalf},
                               {"float64", at::kDouble}};

std::string list_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace

at::ScalarType scalar_type(DType dtype) {
  for (const TypePair& pair : kTypes)
    if (pair.file == dtype) return pair.torch;
  throw Error(ErrorKind::invalid, "tensors of type " + std::string(checkpoint::dtype_name(dtype)) +
                                      " cannot be computed with")
      .with_hint("convert the checkpoint to F32, BF16 or F16");
}

DType file_dtype(at::ScalarType type) {
  for (const TypePair& pair : kTypes)
    if (pair.torch == type) return pair.file;
  throw Error(ErrorKind::internal, std::string("no file type for ") + c10::toString(type));
}

at::ScalarType parse_scalar_type(std::string_view name) {
  for (const TypeName& pair : kNames)
    if (pair.name == name) return pair.torch;
  throw Error(ErrorKind::invalid, "unknown dtype '" + std::string(name) + "'")
      .with_hint("known: float32, bfloat16, float16, float64");
}

std::string_view config_dtype(at::ScalarType type) {
  for (const TypeName& pair : kNames)
    if (pair.torch == type) return pair.name;
  throw Error(ErrorKind::internal, std::string("no config.json name for ") + c10::toString(type));
}

at::Tensor read_tensor(const SafeTensors& file, const TensorInfo& info) {
  const at::ScalarType type = in_context([&] { return "reading tensor '" + info.name + "'"; },
                                         [&] { return scalar_type(info.dtype); });
  at::Tensor tensor = at::empty(info.shape, at::TensorOptions(type));
  const auto bytes = file.data(info);
  HELIO_CHECK(bytes.size() == tensor.nbytes(), "size of tensor '" + info.name + "'");
  // The bytes of a mapped file need not be aligned for their type: copied, never pointed into.
  if (!bytes.empty()) std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

void read_tensor_into(const SafeTensors& file, const TensorInfo& info, at::Tensor into) {
  if (at::IntArrayRef(info.shape) != into.sizes()) {
    throw Error(ErrorKind::invalid, "tensor '" + info.name + "' has shape " +
                                        list_text(info.shape) + ", the model needs " +
                                        list_text(into.sizes().vec()))
        .with_hint("config.json and the weights do not belong together");
  }
  const at::Tensor from = read_tensor(file, info);
  if (!from.is_floating_point()) {
    throw Error(ErrorKind::invalid, "tensor '" + info.name + "' has type " +
                                        std::string(checkpoint::dtype_name(info.dtype)) +
                                        ", weights must be floating point");
  }
  const c10::AutoGradMode no_grad(false);
  into.copy_(from);
}

void write_tensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors) {
  std::vector<at::Tensor> held;  // keeps contiguous copies alive while they are written
  std::vector<checkpoint::TensorToWrite> list;
  held.reserve(tensors.size());
  for (const NamedTensor& named : tensors) {
    held.push_back(named.tensor.detach().contiguous());
    const at::Tensor& tensor = held.back();
    list.push_back(
        {.name = named.name,
         .dtype = file_dtype(tensor.scalar_type()),
         .shape = tensor.sizes().vec(),
         .data = {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  checkpoint::write_safetensors(path, std::move(list));
}

}  // namespace helio::nn
