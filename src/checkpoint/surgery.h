// Depth up-scaling (DUS; Kim et al. 2023, "SOLAR 10.7B", section 2): two copies of a decoder of n
// layers, the last m taken off the first and the first m off the second, put on top of each other:
// s = 2(n - m) layers. Embeddings, final norm and head come along once. The result is an ordinary
// checkpoint, tensor-identical to mergekit's passthrough of the slices [0, n-m) and [m, n).
// Besides: more copies, layers put between others (TLI, LLaMA Pro), seams that are averaged, new
// layers that change nothing at first, and any passthrough plan in mergekit's YAML.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/hf_config.h"
#include "checkpoint/merge/assembly.h"
#include "core/fields.h"
#include "core/monitor.h"

namespace helio::checkpoint {

// Where a layer of the new model comes from.
struct LayerSource {
  int64_t layer = 0;       // of the source model
  int64_t copy = 1;        // 1: the lowest copy, and so on up; with a plan, the slice
  int64_t mean_with = -1;  // the layer that it is averaged with; -1: none
  bool identity = false;   // passes on what it gets, until it is trained
  bool operator==(const LayerSource&) const = default;
};

struct UpscalePlan {
  int64_t source_layers = 0;
  int64_t drop = -1;  // -1: not by SOLAR's rule
  int64_t seam = 0;   // first new layer of the second copy: here m layers of depth are repeated
  std::vector<LayerSource> layers = {};

  std::vector<int64_t> seams() const;  // first layers of all copies but the lowest
};

struct UpscaleOptions {
  std::string model = {}, plan = {}, out = {};
  std::string method = "solar", init = "copy", seam = "keep";
  int64_t drop = -1, copies = 2, every = 0, seam_width = 1, shard_size = 0;
  void describe(Fields& f) {
    f.input("model", model, "Model to make deeper (Hugging Face folder with safetensors).");
    f("method", method,
      "solar: whole copies on top of each other; interleave: after every so many layers a copy of "
      "the last (TLI, LLaMA Pro).",
      one_of({"solar", "interleave"}));
    f("drop", drop,
      "For solar: layers taken off the end of each copy but the last and the start of each but the "
      "first (m).",
      at_least(-1));
    f("copies", copies, "For solar: how many; for interleave: one more than are put in each time.",
      between(2, 64));
    f("every", every, "For interleave: so many layers, then a new one.", at_least(0));
    f("init", init,
      "New layers begin as their copy, or change nothing (o_proj and down_proj are zero), so that "
      "the loss is the base's.",
      one_of({"copy", "identity"}));
    f("seam", seam, "Layers beside a seam stay, or are the mean of both copies at that depth.",
      one_of({"keep", "average"}));
    f("seam_width", seam_width, "For seam average: so many layers on each side.", at_least(1));
    f.input("plan", plan, "Instead of all these: a passthrough plan in mergekit's YAML.");
    f("shard_size", shard_size,
      "Largest file in bytes; 0: one file when the source is one, else as large as its largest.",
      at_least(0));
    f.output("out", out, "models", "Folder of the deeper model.");
  }
};

// SOLAR's rule for n = source_layers and m = drop. Throws usage when the result would not be deeper
// than the source: m must be below n/2 (0 repeats the whole model).
UpscalePlan plan_upscale(int64_t source_layers, int64_t drop);
// By all of the options; those of the files are not looked at.
UpscalePlan plan_upscale(int64_t source_layers, const UpscaleOptions& options);
// The same as slices of `model`; neighbouring layers of one copy are one slice.
MergePlan merge_plan(const UpscalePlan& plan, const std::string& model);

// Parameters of the new model, from the shape alone: SOLAR's (Mistral 7B, drop 8) has
// 10,731,524,096.
int64_t upscaled_parameters(const DecoderConfig& source, const UpscalePlan& plan);

// The source's config.json with the new number of layers; what it says of single layers follows the
// source layer of each new one. Architectures whose numbers depend on a layer's index in ways not
// known here are refused by name.
OrderedJson upscaled_config(const OrderedJson& source, const UpscalePlan& plan,
                            const std::string& origin);

// An up-scaling that is checked and ready; making it reads headers only.
class Upscale {
 public:
  explicit Upscale(const UpscaleOptions& options);

  using Size = Assembly::Size;
  const UpscalePlan& plan() const { return plan_; }
  Size before() const { return assembly_->before(); }
  Size after() const { return assembly_->after(); }
  const std::vector<std::string>& notes() const { return assembly_->notes(); }

  // Writes options.out: weights, config, tokenizer and generation files, licences, manifest. The
  // folder appears complete or not at all; one made by helio before is replaced, any other is not.
  void write(Monitor& monitor, const StopRequest& stop) const;

 private:
  void seal(const std::filesystem::path& dir, Manifest& manifest) const;

  UpscaleOptions options_;
  UpscalePlan plan_ = {};
  std::unique_ptr<Assembly> assembly_ = {};
};

}  // namespace helio::checkpoint
