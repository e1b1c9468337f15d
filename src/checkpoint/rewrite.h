// A new checkpoint made of another one's tensors under other names: what depth up-scaling and layer
// slicing are. Tensor bytes go from file to file inside the kernel, so memory stays constant
// whatever the size of the model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "core/monitor.h"

namespace helio::checkpoint {

struct TensorCopy {
  std::string name = {};               // in the new checkpoint
  const TensorInfo* source = nullptr;  // lives in a SafeTensors that outlives this
};

// One file to be written: its tensors in the order of their data, behind a ready header.
struct OutputFile {
  std::string name = {};
  std::string header = {};
  std::vector<TensorCopy> tensors = {};
  uint64_t size = 0;  // of the whole file
};

// Deals tensors out, in the order given, to files of at most `shard_size` bytes (0: one file). A
// tensor that is larger than that alone gets a file of its own.
std::vector<OutputFile> plan_output(const std::vector<TensorCopy>& tensors,
                                    const std::map<std::string, std::string>& metadata,
                                    uint64_t shard_size);

// Writes the files into the folder `dir`, and the index when there are several. A full disk, a
// source that changes meanwhile or a raised `stop` throws; the caller stages the folder.
void write_output(const std::filesystem::path& dir, const SafeTensors& source,
                  const std::vector<OutputFile>& files, Monitor& monitor, const StopRequest& stop);

// Copies a whole file (links are followed) the same way; `to` must not exist.
void copy_whole_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace helio::checkpoint
