// A checkpoint whose tensors are computed while they are written: casts and imports. Never more
// than a few pieces of one tensor are in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "core/monitor.h"

namespace helio::checkpoint {

struct MadeTensor {
  std::string name = {};
  DType dtype = DType::f32;
  std::vector<int64_t> shape = {};
  // Fills the bytes of rows from `first_row` (a row is the last dimension). Called on many threads.
  std::function<void(int64_t first_row, std::span<std::byte> to)> make = {};
};

// Writes the tensors, in the order given, to files of at most `shard_size` bytes (0: one file) in
// the folder `dir`, with the index when there are several; the caller stages the folder. The bytes
// do not depend on `threads`.
void write_made_tensors(const std::filesystem::path& dir, const std::vector<MadeTensor>& tensors,
                        const std::map<std::string, std::string>& metadata, uint64_t shard_size,
                        int threads, Monitor& monitor, const StopRequest& stop);

// Rows of a tensor in pieces of about a million values, made in parallel and handed over in order.
void stream_rows(int64_t rows, int64_t width, uint64_t row_bytes, int threads,
                 const StopRequest& stop,
                 const std::function<void(int64_t first_row, std::span<std::byte> to)>& make,
                 const std::function<void(std::span<const std::byte>)>& take);

// 0: as many as the machine has, at most 16.
int worker_count(int64_t threads);

}  // namespace helio::checkpoint
