// The header of one safetensors file, apart from any file: parsed from bytes that may be hostile,
// and made for a file that is about to be written.
//
// Format (safetensors 0.8): u64 little endian N; N bytes of JSON
//   {"__metadata__": {string: string}, NAME: {"dtype", "shape", "data_offsets": [begin, end]}, ...}
// padded with spaces; then the data. Offsets count from the first data byte and must tile the data
// without holes or overlaps up to the end of the file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/safetensors.h"

namespace helio::checkpoint {

// Larger headers are refused, as the reference reader does.
inline constexpr uint64_t kMaxHeaderBytes = 100'000'000;

struct SafeTensorsHeader {
  std::vector<TensorInfo> tensors =
      {};  // in the order of their data; offsets from the file's begin
  std::map<std::string, std::string> metadata = {};
  uint64_t data_begin = 0;
};

// Checks everything that can be checked without the data. `head` is the file's begin: at least the
// header when the file has one (the whole mapped file will do). Throws invalid naming `source`.
SafeTensorsHeader parse_safetensors_header(std::string_view head, uint64_t file_size,
                                           const std::string& source);

struct TensorLayout {
  std::string name = {};
  DType dtype = DType::f32;
  std::vector<int64_t> shape = {};
  uint64_t size = 0;  // bytes; filled by plan_layout
};

// Puts tensors into the reference writer's order (larger dtypes first, then by name) and fills
// their sizes. Throws on a repeated name, a shape that overflows or text that is not UTF-8.
void plan_layout(std::vector<TensorLayout>& tensors);

// The first bytes of a file that holds these tensors in this order, length prefix included.
std::string make_safetensors_header(const std::vector<TensorLayout>& tensors,
                                    const std::map<std::string, std::string>& metadata);

// Bytes of a tensor; throws invalid naming it when a dimension is negative or the product
// overflows.
uint64_t tensor_bytes(std::string_view name, DType dtype, const std::vector<int64_t>& shape);

// A name from a file, fit for an error message: control characters escaped, long ones cut.
std::string shown(std::string_view name);

}  // namespace helio::checkpoint
