// Depth up-scaling (DUS; Kim et al. 2023, "SOLAR 10.7B", section 2): two copies of a decoder of n
// layers, the last m taken off the first and the first m off the second, put on top of each other:
// s = 2(n - m) layers. Embeddings, final norm and head come along once. The result is an ordinary
// checkpoint, tensor-identical to mergekit's passthrough of the slices [0, n-m) and [m, n).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/hf_config.h"
#include "checkpoint/rewrite.h"
#include "checkpoint/safetensors.h"
#include "core/fields.h"
#include "core/monitor.h"

namespace helio::checkpoint {

// Where a layer of the new model comes from.
struct LayerSource {
  int64_t layer = 0;  // of the source model
  int64_t copy = 1;   // 1: the lower copy, 2: the upper one
  bool operator==(const LayerSource&) const = default;
};

struct UpscalePlan {
  int64_t source_layers = 0, drop = 0;
  int64_t seam = 0;  // first new layer of the upper copy: here m layers of depth are repeated
  std::vector<LayerSource> layers = {};
};

// The rule above for n = source_layers and m = drop. Throws usage when the result would not be
// deeper than the source: m must be below n/2 (0 repeats the whole model).
UpscalePlan plan_upscale(int64_t source_layers, int64_t drop);

// Parameters of the new model, from the shape alone: SOLAR's (Mistral 7B, drop 8) has
// 10,731,524,096.
int64_t upscaled_parameters(const DecoderConfig& source, const UpscalePlan& plan);

// The source's config.json with the new number of layers; lists with one entry a layer
// (layer_types) follow the source layer of each new one, and are written where the family has a
// rule for them (Qwen, Gemma). Architectures whose numbers depend on a layer's index in ways not
// known here are refused by name.
OrderedJson upscaled_config(const OrderedJson& source, const UpscalePlan& plan,
                            const std::string& origin);

struct UpscaleOptions {
  std::string model = {}, out = {};
  int64_t drop = 0, shard_size = 0;
  void describe(Fields& f) {
    f.input("model", model, "Model to make deeper (Hugging Face folder with safetensors).");
    f("drop", drop, "Layers taken off the end of the first copy and the start of the second (m).",
      at_least(0));
    f("shard_size", shard_size,
      "Largest file in bytes; 0: one file when the source is one, else as large as its largest.",
      at_least(0));
    f.output("out", out, "models", "Folder of the deeper model.");
  }
};

// An up-scaling that is checked and ready; making it reads headers only.
class Upscale {
 public:
  explicit Upscale(const UpscaleOptions& options);

  struct Size {
    int64_t layers = 0, parameters = 0;
    uint64_t bytes = 0;  // of the weight files
    size_t files = 0;
  };
  const UpscalePlan& plan() const { return plan_; }
  const Size& before() const { return before_; }
  const Size& after() const { return after_; }

  // Writes options.out: weights, config, tokenizer and generation files, licences, manifest. The
  // folder appears complete or not at all; one made by helio before is replaced, any other is not.
  void write(Monitor& monitor, const StopRequest& stop) const;

 private:
  std::vector<TensorCopy> rename_tensors(const OrderedJson& config) const;
  void seal(const std::filesystem::path& dir) const;

  UpscaleOptions options_;
  SafeTensors source_;
  UpscalePlan plan_ = {};
  OrderedJson config_ = {};
  std::vector<OutputFile> files_ = {};
  Size before_ = {}, after_ = {};
};

}  // namespace helio::checkpoint
