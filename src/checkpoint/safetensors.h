// The safetensors format, single file or sharded with an index. Torch-free.
// Source: https://github.com/huggingface/safetensors (format description), v0.8.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.h"

namespace helio::checkpoint {

enum class DType {
  boolean,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  f64,
  i64,
  u64
};
size_t dtype_size(DType dtype);            // bytes of one element
std::string_view dtype_name(DType dtype);  // "F32", "BF16" ...
DType parse_dtype(std::string_view name);  // throws invalid on an unknown name

struct TensorInfo {
  std::string name = {};
  DType dtype = DType::f32;
  std::vector<int64_t> shape = {};
  size_t file = 0;                // index into SafeTensors::files()
  uint64_t offset = 0, size = 0;  // bytes within that file (absolute)
  int64_t elements() const;
};

// All tensors of a checkpoint, mapped. Accepts a .safetensors file, a folder with
// model.safetensors, or a folder with model.safetensors.index.json.
// Checks header length, JSON, dtypes, shapes, offsets (inside the file, contiguous, no overlap) and
// that the index and the shards agree; errors name file and tensor. A .bin pickle is refused with
// advice.
class SafeTensors {
 public:
  explicit SafeTensors(const std::filesystem::path& path);

  const std::vector<TensorInfo>& tensors() const { return tensors_; }  // by name order
  const TensorInfo* find(std::string_view name) const;
  const TensorInfo& at(std::string_view name) const;  // throws invalid naming the tensor
  std::span<const std::byte> data(const TensorInfo& tensor) const;
  const std::vector<std::filesystem::path>& files() const { return paths_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::vector<std::filesystem::path> paths_;
  std::vector<MappedFile> maps_;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
};

struct TensorToWrite {
  std::string name = {};
  DType dtype = DType::f32;
  std::vector<int64_t> shape = {};
  std::span<const std::byte> data = {};
};

// Writes one file atomically, metadata {"format":"pt"} as transformers wants it, header padded to
// 8 bytes. Tensors in the order dtype size descending then name, as the reference writer does.
void write_safetensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace helio::checkpoint
