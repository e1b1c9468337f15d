// A Hugging Face model folder as a GGUF file that llama.cpp loads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/expected_tensors.h"
#include "checkpoint/gguf/families.h"
#include "checkpoint/gguf/tensor_types.h"
#include "checkpoint/weights.h"
#include "core/fields.h"
#include "core/gguf_write.h"
#include "core/json.h"
#include "core/monitor.h"

namespace helio::checkpoint {

struct GgufExportOptions {
  std::string model = {}, out = {}, type = "f16", name = {};
  int64_t threads = 0;
  void describe(Fields& f) {
    f.input("model", model, "Hugging Face model folder with safetensors.");
    f("type", type,
      "Of the matrices. q4_k_m and the others that quantise mix types as llama-quantize does.",
      one_of({"f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m", "q6_k"}));
    f("name", name, "general.name in the file; empty: the folder's name.");
    f("threads", threads, "0: as many as the machine has. They do not change the result.",
      between(0, 256));
    f("out", out, "GGUF file to write.");
  }
};

class GgufExport {
 public:
  // Reads headers; throws when config.json and tensors disagree or GGUF cannot say the model.
  explicit GgufExport(const GgufExportOptions& options);

  const OrderedJson& config() const { return config_; }
  const GgufFamily& family() const { return *family_; }
  int64_t vocabulary() const;

  struct Report {
    int64_t tensors = 0;
    uint64_t bytes = 0;
    std::vector<std::pair<std::string, int64_t>> types = {};  // how many tensors of each
  };
  // `add_tokenizer` puts the keys of the tokenizer into the plan.
  Report write(const std::function<void(GgufPlan&)>& add_tokenizer, Monitor& monitor,
               const StopRequest& stop) const;

 private:
  struct Part {
    std::string gguf_name = {};
    const Weight* weight = nullptr;
    int64_t heads = 0;  // rows are interleaved within each
    bool plus_one = false;
    GgmlType type = GgmlType::f32;
  };
  void write_part(GgufWriter& writer, const Part& part, const StopRequest& stop) const;

  GgufExportOptions options_;
  std::unique_ptr<Weights> weights_;
  OrderedJson config_ = {};
  const GgufFamily* family_ = nullptr;
  std::vector<Part> parts_ = {};
  ModelOutline outline_ = {};
};

// The keys of the architecture for a config.json, and the extra tensors (RoPE factors) by name.
struct ExtraTensor {
  std::string name = {};
  std::vector<float> values = {};
};
std::vector<ExtraTensor> set_architecture(GgufPlan& plan, const GgufFamily& family,
                                          const OrderedJson& config, const std::string& source);

}  // namespace helio::checkpoint
