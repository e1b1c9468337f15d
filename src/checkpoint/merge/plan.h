// A plan in mergekit's YAML: which layers of which models a new model is made of, and how tensors
// of several models become one. Two keys of a slice are helio's own: `init: identity` and
// `average: true`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/merge/methods.h"

namespace helio::checkpoint {

inline constexpr int64_t kMostLayers = 10'000;  // of a new model
inline constexpr size_t kMostPlanBytes = size_t(1) << 20;

struct PlanSource {
  std::string model = {};  // as written: a folder, or the name of one that is given beside the plan
  int64_t first = 0, end = -1;  // layers [first, end); end -1: all of them (`models:`)
  Settings parameters = {};
  Mark mark = {};
};

struct PlanSlice {
  std::vector<PlanSource> sources = {};
  std::string base_model = {};  // empty: the plan's
  Settings parameters = {};
  bool identity = false;  // its layers change nothing at first: o_proj and down_proj are zero
  bool average = false;   // passthrough of several sources: their mean
  Mark mark = {};
};

struct MergePlan {
  const MethodInfo* method = nullptr;
  std::vector<PlanSlice> slices = {};
  bool whole_models = false;  // written as `models:`: one slice of all layers, the base added
  std::string base_model = {};
  std::string dtype = {}, out_dtype = {};  // empty: as the tensors are
  bool base_tokenizer = false;             // tokenizer_source: base
  Settings parameters = {};
  std::vector<std::string> notes = {};  // what was read and has no effect
  std::string source = {};              // of the plan, for errors
};

// Throws invalid (usage for a method that is not here) with file:line:column. Keys that mergekit
// has and this has not (modules, tokenizer, chat_template, LoRA) are refused by name.
MergePlan parse_merge_plan(std::string_view yaml, const std::string& source);
MergePlan load_merge_plan(const std::filesystem::path& path);

}  // namespace helio::checkpoint
