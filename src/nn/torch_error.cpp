#include "nn/torch_error.h"

#include <c10/util/Exception.h>

#include <new>

#include "core/error.h"

namespace helio::nn {
namespace {

std::string_view short_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "f32";
    case at::kBFloat16:
      return "bf16";
    case at::kHalf:
      return "f16";
    case at::kDouble:
      return "f64";
    case at::kLong:
      return "i64";
    case at::kInt:
      return "i32";
    case at::kBool:
      return "bool";
    default:
      return c10::toString(type);
  }
}

// The CPU allocator reports a failed allocation as a plain error.
bool says_out_of_memory(std::string_view message) {
  return message.find("allocate memory") != std::string_view::npos ||
         message.find("not enough memory") != std::string_view::npos;
}

Error out_of_memory(const std::string& detail) {
  return Error(ErrorKind::memory, "not enough memory: " + detail)
      .with_hint("make the batch or the sequence smaller (micro_batch_size, batch_tokens)");
}

}  // namespace

std::string shape_text(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::string text(short_name(tensor.scalar_type()));
  text += " [";
  for (int64_t i = 0; i < tensor.dim(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(tensor.size(i));
  }
  return text + "]";
}

std::string shapes_text(std::initializer_list<Shape> tensors) {
  std::string text;
  for (const Shape& shape : tensors) {
    if (!text.empty()) text += ", ";
    text += std::string(shape.name) + " " + shape_text(shape.tensor);
  }
  return text;
}

void rethrow_as_helio_error(const std::function<std::string()>& doing) {
  try {
    throw;
  } catch (Error&) {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    throw out_of_memory(error.what_without_backtrace()).add_context(doing());
  } catch (const c10::Error& error) {
    // The first line says what is wrong; LibTorch may add frames of its own below it.
    std::string message = error.what_without_backtrace();
    message.resize(std::min(message.find('\n'), message.size()));
    if (says_out_of_memory(message)) {
      throw out_of_memory(message).add_context(doing());
    }
    throw Error(ErrorKind::failed, "LibTorch: " + message).add_context(doing());
  } catch (const std::bad_alloc&) {
    throw out_of_memory("the system refused it").add_context(doing());
  }
}

}  // namespace helio::nn
