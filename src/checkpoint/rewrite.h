// A new checkpoint made of another one's tensors, under other names or with other rows at the end:
// what depth up-scaling, layer slicing and vocabulary extension are. Tensor bytes go from file to
// file inside the kernel, so memory stays constant whatever the size of the model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "core/manifest.h"
#include "core/monitor.h"

namespace helio::checkpoint {

// Other rows for a tensor: the first `kept` are its own, the rest up to `rows` are made.
struct NewRows {
  int64_t kept = 0, rows = 0;
  std::function<void(int64_t row, std::span<std::byte> to)> make = {};  // fills one whole row
};

// Values that are computed: none of the source's bytes are taken.
struct MadeValues {
  // Looks at the inputs before the first value is made; may be empty.
  std::function<void(int threads, const StopRequest& stop)> prepare = {};
  // The values from `first` on. Called on many threads, for pieces of kMadePiece values (the last
  // is shorter).
  std::function<void(uint64_t first, std::span<std::byte> to)> fill = {};
};
inline constexpr uint64_t kMadePiece = uint64_t(1) << 16;

struct TensorCopy {
  std::string name = {};  // in the new checkpoint
  // Lives in a SafeTensors that outlives this; with `made`, only dtype and shape count.
  const TensorInfo* source = nullptr;
  std::shared_ptr<const NewRows> rows = {};     // null: all rows as they are
  std::shared_ptr<const MadeValues> made = {};  // null: copied
  size_t checkpoint = 0;                        // among the sources of write_output

  std::vector<int64_t> shape() const;
  uint64_t row_size() const;  // bytes; only with `rows`
  uint64_t size() const;      // bytes
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

// One file for each list, named as transformers does: for a checkpoint that keeps its shards.
std::vector<OutputFile> plan_files(const std::vector<std::vector<TensorCopy>>& files,
                                   const std::map<std::string, std::string>& metadata);

// Writes the files into the folder `dir`, and the index when there are several; gives their hashes,
// computed on the way, for the manifest. A full disk, a source that changes meanwhile or a raised
// `stop` throws; the caller stages the folder.
std::vector<ArtefactFile> write_output(const std::filesystem::path& dir, const SafeTensors& source,
                                       const std::vector<OutputFile>& files, Monitor& monitor,
                                       const StopRequest& stop);

// The same from several checkpoints; made values are computed on `threads` threads, which do not
// change them.
std::vector<ArtefactFile> write_output(const std::filesystem::path& dir,
                                       std::span<const SafeTensors* const> sources,
                                       const std::vector<OutputFile>& files, int threads,
                                       Monitor& monitor, const StopRequest& stop);

// Copies a whole file (links are followed) the same way; `to` must not exist.
void copy_whole_file(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace helio::checkpoint
