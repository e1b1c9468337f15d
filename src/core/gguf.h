// The GGUF container, versions 2 and 3: metadata, tensor infos and access to the mapped tensor
// data. What the numbers mean is not known here (see checkpoint/ and text/).
// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; ids and block sizes as in
// PyPI's gguf 0.19.0.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.h"

namespace helio {

// Types of metadata values, by their number in the file.
enum class GgufKind : uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};
std::string_view gguf_kind_name(GgufKind kind);  // "uint32", "string" ...

// Types of tensors, by their number in the file; those of the format that are not named here are
// known to ggml_type_info() too.
enum class GgmlType : uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q2_k = 10,
  q3_k = 11,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  iq4_nl = 20,
  iq4_xs = 23,
  i8 = 24,
  i16 = 25,
  i32 = 26,
  i64 = 27,
  f64 = 28,
  bf16 = 30,
  mxfp4 = 39,
};

struct GgmlTypeInfo {
  GgmlType type = GgmlType::f32;
  std::string_view name = {};  // "Q4_K"
  uint32_t block = 1;          // elements of a block; a row is a whole number of them
  uint32_t bytes = 4;          // of a block
};
// Null for a number that ggml 0.19 does not have.
const GgmlTypeInfo* find_ggml_type(uint32_t number);
const GgmlTypeInfo& ggml_type_info(GgmlType type);

// One metadata value, as its bytes in the file (or in the writer that made it). Reading it as what
// it is not throws invalid naming the key.
class GgufValue {
 public:
  GgufKind kind = GgufKind::u32;
  GgufKind element = GgufKind::u32;  // of an array
  uint64_t count = 1;                // elements of an array
  std::string_view key = {};
  std::string_view bytes = {};  // a scalar, the text of a string, the elements of an array

  bool boolean() const;
  int64_t integer() const;  // of any whole-number type; above 2^63 is an error
  double number() const;    // f32, f64 or a whole number
  std::string_view string() const;
  // Of arrays; whole numbers and booleans, any numbers, strings. The views are into `bytes`.
  std::vector<int64_t> integers() const;
  std::vector<double> numbers() const;
  std::vector<std::string_view> strings() const;
};

struct GgufTensor {
  std::string_view name = {};
  GgmlType type = GgmlType::f32;
  std::vector<int64_t> shape = {};  // as Hugging Face has it: the last dimension is contiguous
  uint64_t offset = 0, size = 0;    // bytes within the file (absolute)
  int64_t elements() const;
};

struct GgufHeader {
  uint32_t version = 3;
  uint64_t alignment = 32;
  uint64_t data_begin = 0;
  uint64_t data_end = 0;  // of the last tensor
  // Tensors follow each other in the order of their infos without holes but the padding, which
  // llama.cpp asks for and the format does not.
  bool packed = true;
  std::vector<GgufValue> metadata = {};  // in the order of the file
  std::vector<GgufTensor> tensors = {};  // in the order of the file

  const GgufValue* find(std::string_view key) const;
  const GgufTensor* find_tensor(std::string_view name) const;
};

// Checks everything that can be checked without reading tensor data: lengths, types, duplicate
// keys and tensors, alignment, that every tensor lies in the file and none overlap. Allocates in
// proportion to the bytes it read. `bytes` is the whole file; the header points into it.
// Throws invalid naming `source` and the key or tensor. Refused by name: version 1, big-endian
// files, arrays of arrays.
GgufHeader parse_gguf(std::string_view bytes, const std::string& source);

// A mapped GGUF file.
class GgufFile {
 public:
  explicit GgufFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  uint64_t size() const { return map_.size(); }
  const GgufHeader& header() const { return header_; }
  const std::vector<GgufValue>& metadata() const { return header_.metadata; }
  const std::vector<GgufTensor>& tensors() const { return header_.tensors; }
  const GgufTensor* find_tensor(std::string_view name) const { return header_.find_tensor(name); }
  std::span<const std::byte> data(const GgufTensor& tensor) const;

  bool has(std::string_view key) const { return header_.find(key) != nullptr; }
  const GgufValue* find(std::string_view key) const { return header_.find(key); }
  const GgufValue& at(std::string_view key) const;  // throws invalid naming the key
  std::optional<int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string> string(std::string_view key) const;

 private:
  std::filesystem::path path_;
  MappedFile map_;
  GgufHeader header_;
};

// Does the file begin with GGUF's magic? False for what cannot be read.
bool is_gguf(const std::filesystem::path& path);

}  // namespace helio
