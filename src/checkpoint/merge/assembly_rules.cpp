// How one tensor is merged: the parameters that hold for it, and the dtype that it is computed in.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checkpoint/cast.h"
#include "checkpoint/merge/assembly.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"
#include "core/rng.h"

namespace helio::checkpoint {
namespace {

// torch.promote_types of f32, bf16 and f16.
DType promoted(DType a, DType b) { return a == b ? a : DType::f32; }

}  // namespace

void Assembly::add_merge(const std::string& name, const PlanSlice& slice, double depth,
                         const std::vector<Source>& sources) {
  const MergeRule rule = rule_for(name, slice, depth, sources);
  const bool one = sources.size() == 1 && (rule.method == MergeMethod::passthrough || rule.mean);
  if (one && rule.scale == 1 && rule.out == sources[0].tensor->dtype &&
      (rule.work == rule.out || rule.work == DType::f32))
    return add_copy(name, sources[0]);
  for (const auto& source : sources)
    if (const DType dtype = source.tensor->dtype;
        dtype != DType::f32 && dtype != DType::bf16 && dtype != DType::f16)
      throw Error(ErrorKind::invalid,
                  fmt::format("tensor '{}' of '{}' is {}; F32, BF16 and F16 are merged",
                              shown(name), names_[source.model], dtype_name(dtype)))
          .with_hint("bring the models to one of these first: `helio model cast`");
  if (readers_.empty())
    for (const auto& model : models_) readers_.emplace_back(model->weights());
  std::vector<MergeInput> inputs;
  double total = 0;
  for (size_t i = 0; i < sources.size(); ++i) {
    const Source& source = sources[i];
    MergeInput input{.reader = &readers_[source.model], .tensor = source.tensor};
    for (const auto& parameter : plan_.method->parameters) {
      if (parameter.scope == ParameterScope::shared || rule.mean || parameter.may_lack) continue;
      if (parameter.scope == ParameterScope::non_base && i == rule.base) continue;
      const double value = value_of(parameter, source.tensor->name, depth, slice, &source);
      (parameter.name == "weight" ? input.weight : input.density) = value;
    }
    total += input.weight;
    inputs.push_back(input);
  }
  if (rule.method == MergeMethod::linear && rule.normalize && static_cast<float>(total) == 0)
    throw Error(ErrorKind::invalid,
                fmt::format("the weights of tensor '{}' add up to 0", shown(name)))
        .with_hint("change a weight, or say 'normalize: false'");
  auto merge = std::make_shared<TensorMerge>(rule, std::move(inputs), not_numbers_);
  add_made(
      name, rule.out, *sources[0].tensor,
      {.prepare = [merge](int threads, const StopRequest& stop) { merge->prepare(threads, stop); },
       .fill = [merge](uint64_t first, std::span<std::byte> to) { merge->fill(first, to); }});
}

MergeRule Assembly::rule_for(const std::string& name, const PlanSlice& slice, double depth,
                             const std::vector<Source>& sources) const {
  MergeRule rule{.method = plan_.method->method, .mean = slice.average};
  DType stored = sources[0].tensor->dtype;
  for (const auto& source : sources) stored = promoted(stored, source.tensor->dtype);
  rule.work = plan_.dtype.empty() ? stored : dtype_of_word(plan_.dtype);
  rule.out = plan_.out_dtype.empty() ? rule.work : dtype_of_word(plan_.out_dtype);
  if (plan_.method->needs_base) rule.base = base_of(slice, sources);
  for (const auto& parameter : plan_.method->parameters) {
    if (parameter.scope != ParameterScope::shared) continue;
    const double value = value_of(parameter, name, depth, slice, nullptr);
    if (parameter.name == "t") rule.t = value;
    if (parameter.name == "lambda") rule.lambda = value;
    if (parameter.name == "normalize") rule.normalize = value != 0;
    if (parameter.name == "rescale") rule.rescale = value != 0;
  }
  if (const auto* scale = plan_.method->find("scale"))
    rule.scale = value_of(*scale, sources[0].tensor->name, depth, slice, &sources[0]);
  rule.stream = Rng::stream(seed_, name).next();
  return rule;
}

// The most particular setting that says something of this tensor.
double Assembly::value_of(const MethodParameter& parameter, const std::string& tensor, double depth,
                          const PlanSlice& slice, const Source* source) const {
  const Settings* levels[] = {source == nullptr ? nullptr : source->settings, &slice.parameters,
                              &plan_.parameters};
  for (const Settings* settings : levels) {
    if (settings == nullptr) continue;
    const auto it = settings->find(parameter.name);
    if (it == settings->end()) continue;
    if (const auto value = it->second.at(tensor, depth)) return *value;
  }
  if (parameter.usual) return *parameter.usual;
  if (parameter.may_lack) return 1;
  throw Error(ErrorKind::invalid,
              fmt::format("{}: {} needs '{}', and nothing gives it for tensor '{}'{}", plan_.source,
                          plan_.method->name, parameter.name, shown(tensor),
                          source == nullptr ? "" : " of '" + names_[source->model] + "'"))
      .with_hint(fmt::format("add it under 'parameters', for example {}: 0.5", parameter.name));
}

size_t Assembly::base_of(const PlanSlice& slice, const std::vector<Source>& sources) const {
  const std::string& base = slice.base_model.empty() ? plan_.base_model : slice.base_model;
  for (size_t i = 0; i < sources.size(); ++i)
    if (names_[sources[i].model] == base) return i;
  throw Error(ErrorKind::internal, "a slice without its base model");
}

}  // namespace helio::checkpoint
