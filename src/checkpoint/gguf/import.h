// A GGUF file as a Hugging Face model folder: exact where GGUF is, and checked against the file
// after writing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/gguf/model.h"
#include "core/fields.h"
#include "core/monitor.h"

namespace helio::checkpoint {

struct GgufImportOptions {
  std::string model = {}, out = {}, dtype = "auto";
  int64_t shard_size = 0, threads = 0;
  void describe(Fields& f) {
    f.input("model", model, "GGUF file.");
    f("dtype", dtype,
      "Of the weights. auto: F16 and BF16 files keep theirs, anything else becomes float32, so "
      "that no number changes.",
      one_of({"auto", "float32", "bfloat16", "float16"}));
    f("shard_size", shard_size, "Largest file in bytes; 0: one file.", at_least(0));
    f("threads", threads, "0: as many as the machine has. They do not change the result.",
      between(0, 256));
    f.output("out", out, "models", "Folder of the model.");
  }
};

class GgufImport {
 public:
  // Reads the header; throws when tensors and metadata do not make the model they say.
  explicit GgufImport(const GgufImportOptions& options);

  const GgufModel& model() const { return model_; }

  struct Report {
    int64_t tensors = 0, parameters = 0;
    std::string dtype = {};       // of config.json
    int64_t kept_float32 = 0;     // tensors that would lose something in `dtype`
    int64_t rounded_tensors = 0;  // with an explicit dtype
    int64_t rounded_values = 0;
  };
  // Writes options.out. `finish` adds what this module does not know (the tokenizer) to the
  // folder before it is sealed. Every tensor is read back and compared with the file's: a
  // difference that rounding to the chosen dtype does not explain throws Error{check}.
  Report write(Monitor& monitor, const StopRequest& stop,
               const std::function<void(const std::filesystem::path& dir)>& finish) const;

 private:
  DType dtype_of(const Weight& weight, DType main) const;
  void verify(const std::filesystem::path& dir, Report& report, Monitor& monitor,
              const StopRequest& stop) const;

  GgufImportOptions options_;
  GgufModel model_;
  OrderedJson config_ = {};
};

}  // namespace helio::checkpoint
