// LibTorch's exceptions as helio::Error: one message without a stack trace, with the shapes
// involved. Every public entry of nn, model and train that reaches LibTorch goes through
// with_torch_errors.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace helio::nn {

// "f32 [16, 512, 192]"; "undefined" for a tensor that is not there.
std::string shape_text(const at::Tensor& tensor);

struct Shape {
  std::string_view name = {};
  const at::Tensor& tensor;
};
// "hidden f32 [8, 192], weight f32 [97, 192]"
std::string shapes_text(std::initializer_list<Shape> tensors);

// To be called from a catch block: rethrows a helio::Error as it is; a LibTorch error becomes one
// that carries `doing()`; out of memory has ErrorKind::memory.
[[noreturn]] void rethrow_as_helio_error(const std::function<std::string()>& doing);

// `doing()` completes "while ...": it runs only on failure.
template <class Doing, class Body>
decltype(auto) with_torch_errors(Doing&& doing, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    rethrow_as_helio_error(std::forward<Doing>(doing));
  }
}

}  // namespace helio::nn
