#include "checkpoint/merge/methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/options.h"

namespace helio::checkpoint {
namespace {

constexpr std::array<std::string_view, 13> kForeign = {
    "arcee_fusion", "breadcrumbs", "breadcrumbs_ties", "della",   "della_linear", "karcher",
    "model_stock",  "multislerp",  "nearswap",         "nuslerp", "ram",          "ramplus_tl",
    "sce"};
constexpr size_t kMostValues = 10'000;  // of one gradient, and cases of one parameter

std::vector<MethodParameter> of_task_vectors(double normalize, double rescale) {
  return {{.name = "weight", .scope = ParameterScope::non_base},
          {.name = "density", .scope = ParameterScope::non_base, .usual = 1},
          {.name = "lambda", .usual = 1},
          {.name = "normalize", .type = ParameterType::boolean, .usual = normalize},
          {.name = "rescale", .type = ParameterType::boolean, .usual = rescale},
          // How mergekit stores signs: the result is the same either way.
          {.name = "int8_mask", .type = ParameterType::boolean, .usual = 0}};
}

MethodInfo of_base(MergeMethod method, std::string_view name, double normalize, double rescale) {
  return {.method = method,
          .name = name,
          .needs_base = true,
          .parameters = of_task_vectors(normalize, rescale)};
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const auto& info : merge_methods()) names.emplace_back(info.name);
  return names;
}

Error at(const Mark& mark, const std::string& what) {
  const std::string place = mark.str();
  return Error(ErrorKind::invalid, (place.empty() ? "" : place + ": ") + what);
}

double read_value(const Node& node, std::string_view name, ParameterType type) {
  const bool boolean = type == ParameterType::boolean;
  const auto fail = [&]() -> Error {
    return at(node.mark(),
              fmt::format("'{}' must be {}{}", name, boolean ? "true or false" : "a finite number",
                          node.is_scalar() ? ", not '" + node.text() + "'" : std::string()));
  };
  if (!node.is_scalar()) throw fail();
  std::string text = node.text();
  if (boolean) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (text == "true" || text == "yes" || text == "on" || text == "1") return 1;
    if (text == "false" || text == "no" || text == "off" || text == "0") return 0;
    throw fail();
  }
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  double value = 0;
  const auto [stop, problem] = std::from_chars(begin, end, value);
  if (problem != std::errc() || stop != end || !std::isfinite(value)) throw fail();
  return value;
}

std::vector<double> read_values(const Node& node, std::string_view name, ParameterType type) {
  if (!node.is_list()) return {read_value(node, name, type)};
  if (node.items().empty())
    throw at(node.mark(), fmt::format("'{}' is an empty list", name))
        .with_hint("write one value, or one for the first layer and one for the last");
  if (node.items().size() > kMostValues)
    throw at(node.mark(), fmt::format("'{}' has {} values; {} are the most", name,
                                      node.items().size(), kMostValues));
  std::vector<double> values;
  for (const Node& item : node.items()) values.push_back(read_value(item, name, type));
  return values;
}

Setting::Case read_case(const Node& node, std::string_view name, ParameterType type) {
  static const std::vector<std::string> known = {"filter", "value"};
  Setting::Case out;
  for (const auto& entry : node.entries()) {
    if (entry.key == "filter") {
      if (entry.value.is_scalar()) out.filter = entry.value.text();
      else if (!entry.value.is_null())
        throw at(entry.value.mark(), "'filter' is a part of tensor names");
    } else if (entry.key == "value") {
      out.values = read_values(entry.value, name, type);
    } else {
      const std::string near = nearest(entry.key, known);
      throw at(entry.key_mark, "unknown key '" + entry.key + "'")
          .with_hint(near.empty() ? "a case has 'filter' and 'value'"
                                  : "did you mean '" + near + "'?");
    }
  }
  if (out.values.empty()) throw at(node.mark(), fmt::format("a case of '{}' has no 'value'", name));
  return out;
}

Setting read_setting(const Node& node, std::string_view name, ParameterType type) {
  Setting setting;
  setting.type = type;
  if (node.is_map()) {
    setting.cases.push_back(read_case(node, name, type));
  } else if (node.is_list() && std::any_of(node.items().begin(), node.items().end(),
                                           [](const Node& item) { return item.is_map(); })) {
    if (node.items().size() > kMostValues)
      throw at(node.mark(), fmt::format("'{}' has {} cases; {} are the most", name,
                                        node.items().size(), kMostValues));
    for (const Node& item : node.items()) {
      if (!item.is_map())
        throw at(item.mark(), fmt::format("'{}' mixes values and cases", name))
            .with_hint("write every entry as {filter: ..., value: ...}");
      setting.cases.push_back(read_case(item, name, type));
    }
  } else {
    setting.cases.push_back({.values = read_values(node, name, type)});
  }
  return setting;
}

}  // namespace

const MethodParameter* MethodInfo::find(std::string_view parameter) const {
  for (const auto& one : parameters)
    if (one.name == parameter) return &one;
  return nullptr;
}

const std::vector<MethodInfo>& merge_methods() {
  static const std::vector<MethodInfo> methods = {
      {.method = MergeMethod::passthrough,
       .name = "passthrough",
       .most_inputs = 1,
       .parameters = {{.name = "scale", .scope = ParameterScope::input, .may_lack = true}}},
      {.method = MergeMethod::linear,
       .name = "linear",
       .parameters = {{.name = "weight", .scope = ParameterScope::input},
                      {.name = "normalize", .type = ParameterType::boolean, .usual = 1}}},
      {.method = MergeMethod::slerp,
       .name = "slerp",
       .needs_base = true,
       .least_inputs = 2,
       .most_inputs = 2,
       .parameters = {{.name = "t"}}},
      of_base(MergeMethod::task_arithmetic, "task_arithmetic", 0, 0),
      of_base(MergeMethod::ties, "ties", 1, 0),
      of_base(MergeMethod::dare_linear, "dare_linear", 0, 1),
      of_base(MergeMethod::dare_ties, "dare_ties", 0, 1)};
  return methods;
}

const MethodInfo& merge_method(std::string_view name) {
  for (const auto& info : merge_methods())
    if (info.name == name) return info;
  const auto names = method_names();
  const std::string near = nearest(std::string(name), names);
  throw Error(ErrorKind::usage,
              is_foreign_method(name)
                  ? fmt::format("merge method '{}' of mergekit is not done here", name)
                  : fmt::format("there is no merge method '{}'", name))
      .with_hint(fmt::format("{}methods: {}",
                             near.empty() ? "" : fmt::format("did you mean '{}'? ", near),
                             fmt::join(names, ", ")));
}

bool is_foreign_method(std::string_view name) {
  return std::find(kForeign.begin(), kForeign.end(), name) != kForeign.end();
}

std::optional<double> Setting::at(std::string_view tensor, double depth) const {
  for (const auto& one : cases) {
    if (!one.filter.empty() && one.filter != "*" && tensor.find(one.filter) == tensor.npos)
      continue;
    const double scaled = depth * static_cast<double>(one.values.size() - 1);
    const size_t low = std::min(static_cast<size_t>(scaled), one.values.size() - 1);
    if (type == ParameterType::boolean) return one.values[low];
    const size_t high = std::min(one.values.size() - 1, low + 1);
    const double share = scaled - static_cast<double>(low);
    return (1 - share) * one.values[low] + share * one.values[high];
  }
  return std::nullopt;
}

Settings read_settings(const Node& node, const MethodInfo& method,
                       std::vector<std::string>& ignored) {
  Settings settings;
  if (node.is_null()) return settings;
  if (!node.is_map()) throw at(node.mark(), "'parameters' is not a map of parameters");
  std::vector<std::string> known;
  for (const auto& info : merge_methods())
    for (const auto& one : info.parameters) known.emplace_back(one.name);
  for (const auto& entry : node.entries()) {
    const MethodParameter* parameter = method.find(entry.key);
    if (parameter != nullptr) {
      settings[entry.key] = read_setting(entry.value, entry.key, parameter->type);
      continue;
    }
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) {
      ignored.push_back(fmt::format("{}: {} has no parameter '{}'; it is ignored",
                                    entry.key_mark.str(), method.name, entry.key));
      continue;
    }
    const std::string near = nearest(entry.key, known);
    std::vector<std::string_view> own;
    for (const auto& one : method.parameters) own.push_back(one.name);
    throw at(entry.key_mark, fmt::format("unknown parameter '{}'", entry.key))
        .with_hint(fmt::format("{}parameters of {}: {}",
                               near.empty() ? "" : fmt::format("did you mean '{}'? ", near),
                               method.name, fmt::join(own, ", ")));
  }
  return settings;
}

}  // namespace helio::checkpoint
