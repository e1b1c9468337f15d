// `helio merge`: a new model from a plan in mergekit's YAML.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/merge/assembly.h"
#include "core/fields.h"
#include "core/monitor.h"

namespace helio::checkpoint {

struct MergeOptions {
  std::string plan = {}, out = {};
  std::vector<std::string> models = {};
  int64_t shard_size = 0, seed = 0, threads = 0;
  void describe(Fields& f) {
    f.input("plan", plan, "The plan: YAML as mergekit reads it.");
    f.input("models", models,
            "Folders that the plan names by their last part: 'base' in it is models/base here.");
    f("shard_size", shard_size,
      "Largest file in bytes; 0: one file when the base is one, else as large as its largest.",
      at_least(0));
    f("seed", seed, "Of DARE's chance.");
    f("threads", threads, "0: as many as the machine has. They do not change the result.",
      between(0, 256));
    f.output("out", out, "models", "Folder of the new model.");
  }
};

// The folder of a model that a plan names: one of `given` whose last part is the name, else the
// name as a path, from here or from beside the plan. Throws not_found.
std::filesystem::path find_plan_model(const std::string& name, const std::filesystem::path& plan,
                                      const std::vector<std::string>& given);

// A merge that is checked and ready; making it reads the plan and headers only.
class Merge {
 public:
  explicit Merge(const MergeOptions& options);
  const Assembly& assembly() const { return *assembly_; }
  // Writes options.out, as Upscale does.
  void write(Monitor& monitor, const StopRequest& stop) const;

 private:
  void seal(const std::filesystem::path& dir, Manifest& manifest) const;

  MergeOptions options_;
  std::unique_ptr<Assembly> assembly_ = {};
};

}  // namespace helio::checkpoint
