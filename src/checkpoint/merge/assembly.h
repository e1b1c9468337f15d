// A plan put to work: its models opened and checked, every tensor of the new model decided. Nothing
// is read but headers until it is written.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/merge/plan.h"
#include "checkpoint/merge/tensor_merge.h"
#include "checkpoint/rewrite.h"
#include "checkpoint/surgery_model.h"
#include "core/json.h"
#include "core/monitor.h"

namespace helio::checkpoint {

class Assembly {
 public:
  // The folder of a model that the plan names.
  using FindModel = std::function<std::filesystem::path(const std::string& name)>;
  Assembly(MergePlan plan, const FindModel& find, uint64_t seed, uint64_t shard_size);

  struct Layer {
    std::vector<std::pair<size_t, int64_t>> from = {};  // model and its layer
    size_t slice = 0;
    double depth = 0;  // in the slice: 0 its first layer, 1 its last
  };
  struct Size {
    int64_t layers = 0, parameters = 0;
    uint64_t bytes = 0;  // of the weight files
    size_t files = 0;
  };
  const MergePlan& plan() const { return plan_; }
  const std::vector<std::unique_ptr<LayeredModel>>& models() const { return models_; }
  const LayeredModel& base() const { return *models_[base_]; }  // config and tokenizer are its
  const std::vector<Layer>& layers() const { return layers_; }
  const OrderedJson& config() const { return config_; }
  Size before() const;  // of the base
  Size after() const;
  size_t computed_tensors() const { return made_.size(); }
  // What was found odd and is not an error: ignored parameters, settings that differ.
  const std::vector<std::string>& notes() const { return plan_.notes; }
  int64_t not_numbers() const { return not_numbers_; }  // NaN among computed values, once written

  // Weights, config.json, tokenizer files, licences. Gives a manifest its inputs, the models by
  // `role`, and the hashes of the weight files: both are computed while files are copied.
  void write(const std::filesystem::path& dir, const std::string& role, Manifest& manifest,
             int threads, Monitor& monitor, const StopRequest& stop) const;

 private:
  struct Source {  // of one new tensor
    size_t model = 0;
    const TensorInfo* tensor = nullptr;
    const Settings* settings = nullptr;  // null: none of its own
  };
  size_t open_model(const std::string& name, const FindModel& find);
  void check_alike(const LayeredModel& model, const std::string& name);
  void place_layers();
  void place_outer(const PlanSlice& slice, bool above);
  void add(const std::string& name, const PlanSlice& slice, double depth,
           const std::vector<Source>& sources);
  void add_copy(const std::string& name, const Source& source);
  void add_made(const std::string& name, DType dtype, const TensorInfo& like, MadeValues values);
  void add_merge(const std::string& name, const PlanSlice& slice, double depth,
                 const std::vector<Source>& sources);
  void check_shapes(const std::string& name, const std::vector<Source>& sources) const;
  MergeRule rule_for(const std::string& name, const PlanSlice& slice, double depth,
                     const std::vector<Source>& sources) const;
  double value_of(const MethodParameter& parameter, const std::string& tensor, double depth,
                  const PlanSlice& slice, const Source* source) const;
  size_t base_of(const PlanSlice& slice, const std::vector<Source>& sources) const;

  MergePlan plan_;
  uint64_t seed_ = 0;
  std::vector<std::string> names_ = {};  // of the models, as the plan has them
  std::vector<std::unique_ptr<LayeredModel>> models_ = {};
  size_t base_ = 0;
  std::vector<Layer> layers_ = {};
  OrderedJson config_ = {};
  std::vector<TensorReader> readers_ = {};  // one a model
  std::deque<TensorInfo> made_ = {};        // dtype and shape of what is computed
  mutable std::atomic<int64_t> not_numbers_ = 0;
  std::vector<TensorCopy> tensors_ = {};
  std::vector<OutputFile> files_ = {};
};

}  // namespace helio::checkpoint
