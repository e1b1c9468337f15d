// Writing GGUF version 3: metadata and tensor infos first, then tensor data streamed in the order
// the tensors were named. What is written llama.cpp accepts: packed, padded to the alignment.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.h"
#include "core/gguf.h"

namespace helio {

// What a file will hold, and its first bytes. A key or tensor given twice, a name that is too long
// or a row that is no whole number of blocks throws invalid naming it.
class GgufPlan {
 public:
  explicit GgufPlan(uint32_t alignment = 32);  // a power of two from 8

  void set_boolean(std::string_view key, bool value);
  void set_u32(std::string_view key, uint32_t value);
  void set_i32(std::string_view key, int32_t value);
  void set_u64(std::string_view key, uint64_t value);
  void set_f32(std::string_view key, float value);
  void set_f64(std::string_view key, double value);
  void set_string(std::string_view key, std::string_view value);
  void set_booleans(std::string_view key, const std::vector<bool>& values);
  void set_bytes(std::string_view key, std::string_view values);  // an array of uint8
  void set_u32s(std::string_view key, const std::vector<uint32_t>& values);
  void set_i32s(std::string_view key, const std::vector<int32_t>& values);
  void set_f32s(std::string_view key, const std::vector<float>& values);
  void set_strings(std::string_view key, const std::vector<std::string>& values);
  // Any value of another file, as it is there. general.alignment is passed over: it is this plan's.
  void copy(const GgufValue& value);

  struct Tensor {
    std::string name = {};
    GgmlType type = GgmlType::f32;
    std::vector<int64_t> shape = {};  // as Hugging Face has it
    uint64_t offset = 0, size = 0;    // bytes; the offset from the begin of the data
  };
  void add_tensor(std::string_view name, GgmlType type, const std::vector<int64_t>& shape);

  const std::vector<Tensor>& tensors() const { return tensors_; }
  uint64_t alignment() const { return alignment_; }
  std::string header() const;  // all before the data, padded
  uint64_t file_size() const;

 private:
  std::string& value(std::string_view key, GgufKind kind);
  std::string& array(std::string_view key, GgufKind element, size_t count);

  uint64_t alignment_ = 32;
  uint64_t values_ = 0, data_size_ = 0;
  std::string metadata_ = {};
  std::vector<Tensor> tensors_ = {};
  std::set<std::string, std::less<>> keys_ = {}, names_ = {};
};

// A file being written; it appears under its name on commit().
class GgufWriter {
 public:
  GgufWriter(const std::filesystem::path& path, const GgufPlan& plan);  // keep `plan` until the end

  // The next bytes of the tensor whose turn it is; pieces may be of any size but do not go across
  // a tensor's end.
  void write(std::span<const std::byte> piece);
  // The tensor whose turn it is, or null after the last.
  const GgufPlan::Tensor* next() const;
  // Throws internal when tensor data is missing.
  void commit();

 private:
  void finish_tensors();

  const GgufPlan& plan_;
  AtomicFile file_;
  size_t tensor_ = 0;
  uint64_t done_ = 0;  // bytes of that tensor
};

}  // namespace helio
