// What the GGUF fuzz target does with bytes: shared with the replay under gtest.
#pragma once

#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "core/gguf.h"
#include "core/gguf_write.h"

namespace helio::fuzz {

enum class Outcome { accepted, refused };

// Bytes as a whole GGUF file: refused with an invalid Error, or every tensor lies inside it, every
// value can be read as something, and the head can be written again and read as the same.
inline Outcome try_gguf(std::string_view bytes) {
  GgufHeader header;
  try {
    header = parse_gguf(bytes, "fuzz");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) std::abort();
    return Outcome::refused;
  }
  for (const auto& value : header.metadata) {
    const auto attempt = [&](auto&& body) {
      try {
        body();
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::invalid) std::abort();
      }
    };
    attempt([&] { value.boolean(); });
    attempt([&] { value.integer(); });
    attempt([&] { value.number(); });
    attempt([&] { value.string(); });
    attempt([&] { value.integers(); });
    attempt([&] { value.numbers(); });
    attempt([&] {
      if (value.strings().size() != value.count) std::abort();
    });
  }
  GgufPlan plan(32);
  for (const auto& value : header.metadata) plan.copy(value);
  size_t tensors = 0;
  for (const auto& tensor : header.tensors) {
    if (tensor.offset < header.data_begin || tensor.size > bytes.size() ||
        tensor.offset > bytes.size() - tensor.size)
      std::abort();
    if (tensor.size / ggml_type_info(tensor.type).bytes * ggml_type_info(tensor.type).block !=
        static_cast<uint64_t>(tensor.elements()))
      std::abort();
    if (tensor.name.size() > 63) continue;
    plan.add_tensor(tensor.name, tensor.type, tensor.shape);
    ++tensors;
  }
  if (tensors != header.tensors.size() || plan.file_size() > (1 << 24)) return Outcome::accepted;
  std::string again = plan.header();
  again.resize(plan.file_size());
  const auto back = parse_gguf(again, "again");
  if (back.tensors.size() != header.tensors.size() || !back.packed) std::abort();
  for (size_t i = 0; i < tensors; ++i)
    if (back.tensors[i].name != header.tensors[i].name ||
        back.tensors[i].shape != header.tensors[i].shape ||
        back.tensors[i].type != header.tensors[i].type)
      std::abort();
  for (const auto& value : header.metadata) {
    const auto* copy = back.find(value.key);
    if (value.key == "general.alignment") continue;
    if (copy == nullptr || copy->bytes != value.bytes || copy->kind != value.kind) std::abort();
  }
  return Outcome::accepted;
}

}  // namespace helio::fuzz
