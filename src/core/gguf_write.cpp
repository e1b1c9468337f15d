#include "core/gguf_write.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace helio {
namespace {

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

void put_string(std::string& out, std::string_view text) {
  put<uint64_t>(out, text.size());
  out += text;
}

template <class T>
void put_all(std::string& out, const std::vector<T>& values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

uint64_t align_up(uint64_t at, uint64_t alignment) {
  return (at + alignment - 1) / alignment * alignment;
}

}  // namespace

GgufPlan::GgufPlan(uint32_t alignment) : alignment_(alignment) {
  HELIO_CHECK(alignment >= 8 && (alignment & (alignment - 1)) == 0, "not a power of two from 8");
  if (alignment == 32) return;  // the default, which is not written
  set_u32("general.alignment", alignment);
}

std::string& GgufPlan::value(std::string_view key, GgufKind kind) {
  if (key.empty() || key.size() > 65'535)
    throw Error(ErrorKind::invalid,
                fmt::format("a GGUF metadata key of {} bytes; 1 to 65535 are allowed", key.size()));
  if (!keys_.insert(std::string(key)).second)
    throw Error(ErrorKind::invalid, fmt::format("GGUF metadata '{}' is given twice", key));
  ++values_;
  put_string(metadata_, key);
  put<uint32_t>(metadata_, static_cast<uint32_t>(kind));
  return metadata_;
}

std::string& GgufPlan::array(std::string_view key, GgufKind element, size_t count) {
  std::string& out = value(key, GgufKind::array);
  put<uint32_t>(out, static_cast<uint32_t>(element));
  put<uint64_t>(out, count);
  return out;
}

void GgufPlan::set_boolean(std::string_view key, bool flag) {
  put<uint8_t>(value(key, GgufKind::boolean), flag ? 1 : 0);
}
void GgufPlan::set_u32(std::string_view key, uint32_t number) {
  put(value(key, GgufKind::u32), number);
}
void GgufPlan::set_i32(std::string_view key, int32_t number) {
  put(value(key, GgufKind::i32), number);
}
void GgufPlan::set_u64(std::string_view key, uint64_t number) {
  put(value(key, GgufKind::u64), number);
}
void GgufPlan::set_f32(std::string_view key, float number) {
  put(value(key, GgufKind::f32), number);
}
void GgufPlan::set_f64(std::string_view key, double number) {
  put(value(key, GgufKind::f64), number);
}
void GgufPlan::set_string(std::string_view key, std::string_view text) {
  put_string(value(key, GgufKind::string), text);
}
void GgufPlan::set_booleans(std::string_view key, const std::vector<bool>& values) {
  std::string& out = array(key, GgufKind::boolean, values.size());
  for (const bool flag : values) put<uint8_t>(out, flag ? 1 : 0);
}
void GgufPlan::set_bytes(std::string_view key, std::string_view values) {
  array(key, GgufKind::u8, values.size()) += values;
}
void GgufPlan::set_u32s(std::string_view key, const std::vector<uint32_t>& values) {
  put_all(array(key, GgufKind::u32, values.size()), values);
}
void GgufPlan::set_i32s(std::string_view key, const std::vector<int32_t>& values) {
  put_all(array(key, GgufKind::i32, values.size()), values);
}
void GgufPlan::set_f32s(std::string_view key, const std::vector<float>& values) {
  put_all(array(key, GgufKind::f32, values.size()), values);
}
void GgufPlan::set_strings(std::string_view key, const std::vector<std::string>& values) {
  std::string& out = array(key, GgufKind::string, values.size());
  for (const auto& text : values) put_string(out, text);
}

void GgufPlan::copy(const GgufValue& from) {
  if (from.key == "general.alignment") return;
  if (from.kind == GgufKind::array) array(from.key, from.element, from.count) += from.bytes;
  else if (from.kind == GgufKind::string) set_string(from.key, from.bytes);
  else value(from.key, from.kind) += from.bytes;
}

void GgufPlan::add_tensor(std::string_view name, GgmlType type, const std::vector<int64_t>& shape) {
  const auto fail = [&](const std::string& what) {
    return Error(ErrorKind::invalid,
                 fmt::format("cannot write tensor '{}' to GGUF: {}", name, what));
  };
  if (name.empty() || name.size() > 63) throw fail("ggml's names have 1 to 63 bytes");
  if (shape.size() > 4) throw fail(fmt::format("{} dimensions; 4 are the most", shape.size()));
  if (!names_.insert(std::string(name)).second) throw fail("it is given twice");
  const auto& info = ggml_type_info(type);
  const int64_t row = shape.empty() ? 1 : shape.back();
  uint64_t elements = 1;
  for (const int64_t dimension : shape)
    if (dimension < 0 ||
        __builtin_mul_overflow(elements, static_cast<uint64_t>(dimension), &elements) ||
        elements > (uint64_t(1) << 60))
      throw fail("the shape is negative or overflows");
  if (row % info.block != 0)
    throw fail(fmt::format("rows of {} elements are no multiple of {}'s block of {}", row,
                           info.name, info.block));
  tensors_.push_back({.name = std::string(name),
                      .type = type,
                      .shape = shape,
                      .offset = data_size_,
                      .size = elements / info.block * info.bytes});
  data_size_ = align_up(data_size_ + tensors_.back().size, alignment_);
}

std::string GgufPlan::header() const {
  std::string out = "GGUF";
  put<uint32_t>(out, 3);
  put<uint64_t>(out, tensors_.size());
  put<uint64_t>(out, values_);
  out += metadata_;
  for (const auto& tensor : tensors_) {
    put_string(out, tensor.name);
    put<uint32_t>(out, static_cast<uint32_t>(tensor.shape.size()));
    for (size_t i = tensor.shape.size(); i-- > 0;)
      put<uint64_t>(out, static_cast<uint64_t>(tensor.shape[i]));
    put<uint32_t>(out, static_cast<uint32_t>(tensor.type));
    put<uint64_t>(out, tensor.offset);
  }
  out.resize(align_up(out.size(), alignment_), '\0');
  return out;
}

uint64_t GgufPlan::file_size() const { return header().size() + data_size_; }

GgufWriter::GgufWriter(const std::filesystem::path& path, const GgufPlan& plan)
    : plan_(plan), file_(path) {
  file_.write(plan.header());
  finish_tensors();
}

const GgufPlan::Tensor* GgufWriter::next() const {
  return tensor_ < plan_.tensors().size() ? &plan_.tensors()[tensor_] : nullptr;
}

void GgufWriter::write(std::span<const std::byte> piece) {
  const auto* tensor = next();
  HELIO_CHECK(tensor != nullptr && piece.size() <= tensor->size - done_,
              "more data than the GGUF plan has room for");
  constexpr size_t most = size_t(1) << 20;  // AtomicFile gathers what it is given
  for (size_t at = 0; at < piece.size(); at += most)
    file_.write(piece.data() + at, std::min(most, piece.size() - at));
  done_ += piece.size();
  finish_tensors();
}

// Pads what is complete and passes over empty tensors.
void GgufWriter::finish_tensors() {
  for (const auto* tensor = next(); tensor != nullptr && done_ == tensor->size; tensor = next()) {
    const uint64_t padding = align_up(tensor->size, plan_.alignment()) - tensor->size;
    file_.write(std::string(padding, '\0'));
    ++tensor_;
    done_ = 0;
  }
}

void GgufWriter::commit() {
  HELIO_CHECK(next() == nullptr, "tensor data is missing");
  file_.commit();
}

}  // namespace helio
