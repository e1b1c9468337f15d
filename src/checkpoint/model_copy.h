// The same model in other files or another dtype.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/rewrite.h"
#include "checkpoint/safetensors.h"
#include "core/fields.h"
#include "core/manifest.h"
#include "core/monitor.h"

namespace helio::checkpoint {

// "5GB", "500MB", "2GiB" or bytes; 0 is 0. Throws usage on anything else.
uint64_t parse_byte_size(std::string_view text);

struct ShardOptions {
  std::string model = {}, out = {}, size = "5GB";
  void describe(Fields& f) {
    f.input("model", model, "Hugging Face model folder with safetensors.");
    f("size", size,
      "Largest file: bytes, or with KB, MB, GB (powers of ten), KiB, MiB, GiB. 0: one file.");
    f.output("out", out, "models", "Folder of the new files.");
  }
};

struct CastOptions {
  std::string model = {}, out = {}, dtype = {}, size = "0";
  int64_t threads = 0;
  void describe(Fields& f) {
    f.input("model", model, "Hugging Face model folder with safetensors.");
    f("dtype", dtype, "Of the new weights.", one_of({"float32", "bfloat16", "float16", "float64"}));
    f("size", size, "Largest file, as for `helio model shard`; 0: one file.");
    f("threads", threads, "0: as many as the machine has. They do not change the result.",
      between(0, 256));
    f.output("out", out, "models", "Folder of the new model.");
  }
};

struct CopyReport {
  int64_t tensors = 0, parameters = 0, files = 0;
  uint64_t bytes = 0;           // of the weight files
  int64_t cast_tensors = 0;     // whose dtype changed
  int64_t rounded_values = 0;   // that are another number now
  int64_t infinite_values = 0;  // that were finite
};

// Tensor bytes go from file to file inside the kernel; config, tokenizer, generation files and
// licences come along; a manifest with hashes is written. The folder appears whole or not at all.
CopyReport shard_model(const ShardOptions& options, Monitor& monitor, const StopRequest& stop);

// Rounds to nearest, ties to even, as torch's `.to`; tensors of whole numbers stay. config.json
// says the new dtype.
CopyReport cast_model(const CastOptions& options, Monitor& monitor, const StopRequest& stop);

}  // namespace helio::checkpoint
