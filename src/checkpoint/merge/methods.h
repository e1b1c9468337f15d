// What the merge methods are called, which parameters they take and how a parameter's value is
// found for one tensor. Names, defaults and rules are mergekit's (0.1.5: merge_methods/*.py,
// config.py), so that its YAML means the same here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/node.h"

namespace helio::checkpoint {

enum class MergeMethod {
  passthrough,
  linear,
  slerp,
  task_arithmetic,
  ties,
  dare_linear,
  dare_ties,
};

enum class ParameterType { number, boolean };
// Of the whole tensor, of each input, or of each input but the base.
enum class ParameterScope { shared, input, non_base };

struct MethodParameter {
  std::string_view name = {};
  ParameterType type = ParameterType::number;
  ParameterScope scope = ParameterScope::shared;
  std::optional<double> usual = {};  // none: it must be given
  bool may_lack = false;             // absent: not applied at all (passthrough's scale)
};

struct MethodInfo {
  MergeMethod method = MergeMethod::passthrough;
  std::string_view name = {};
  bool needs_base = false;
  size_t least_inputs = 1, most_inputs = 64;
  std::vector<MethodParameter> parameters = {};

  const MethodParameter* find(std::string_view parameter) const;
};

const std::vector<MethodInfo>& merge_methods();
const MethodInfo& merge_method(std::string_view name);  // throws usage with the nearest name
// Names of mergekit's methods that are not here, so that they can be refused by name.
bool is_foreign_method(std::string_view name);

// A parameter as the plan has it: one value, a gradient over the layers of the slice, or cases by
// part of the tensor's name, each of them a value or a gradient.
struct Setting {
  struct Case {
    std::string filter = {};  // empty or "*": every tensor
    std::vector<double> values = {};
  };
  std::vector<Case> cases = {};
  ParameterType type = ParameterType::number;

  // `depth` from 0 (the slice's first layer) to 1 (its last). Numbers are interpolated, switches
  // chosen. Nothing when no case fits the name.
  std::optional<double> at(std::string_view tensor, double depth) const;
};
using Settings = std::map<std::string, Setting, std::less<>>;

// Reads a `parameters:` map. Errors carry the place. A parameter that only other methods know goes
// to `ignored`, as mergekit does in silence.
Settings read_settings(const Node& node, const MethodInfo& method,
                       std::vector<std::string>& ignored);

}  // namespace helio::checkpoint
