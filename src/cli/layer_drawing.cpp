#include "cli/layer_drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

namespace helio::cli {
namespace {

using checkpoint::UpscalePlan;

constexpr int64_t kWidest = 120;  // marks in a row
constexpr int64_t kMostRows = 16;

// "0-23", "7", "0, 2-5".
std::string ranges(const std::vector<int64_t>& numbers) {
  std::string out;
  for (size_t i = 0; i < numbers.size();) {
    size_t j = i;
    while (j + 1 < numbers.size() && numbers[j + 1] == numbers[j] + 1) ++j;
    out += (out.empty() ? "" : ", ") +
           (i == j ? fmt::format("{}", numbers[i]) : fmt::format("{}-{}", numbers[i], numbers[j]));
    i = j + 1;
  }
  return out;
}

std::string shorter(const std::string& text) {
  return text.size() <= 60 ? text : text.substr(0, text.rfind(',', 57)) + ", ...";
}

}  // namespace

std::string layer_drawing(const UpscalePlan& plan) {
  const int64_t n = plan.source_layers;
  std::string out =
      plan.drop >= 0
          ? fmt::format(
                "Depth up-scaling: {} layers, {} dropped from each copy, {} in the new model\n", n,
                plan.drop, plan.layers.size())
          : fmt::format("Depth up-scaling: {} layers, {} in the new model\n", n,
                        plan.layers.size());
  const int64_t copies =
      std::max_element(plan.layers.begin(), plan.layers.end(), [](const auto& a, const auto& b) {
        return a.copy < b.copy;
      })->copy;
  for (int64_t copy = 1; copy <= std::min(copies, kMostRows); ++copy) {
    std::vector<int64_t> there, missing;
    std::set<int64_t> present, passing, mixed;
    for (const auto& layer : plan.layers) {
      if (layer.copy != copy) continue;
      if (present.insert(layer.layer).second) there.push_back(layer.layer);
      if (layer.identity) passing.insert(layer.layer);
      if (layer.mean_with >= 0) mixed.insert(layer.layer);
    }
    std::string marks;
    for (int64_t i = 0; i < n; ++i) {
      if (!present.contains(i)) missing.push_back(i);
      if (n <= kWidest)
        marks += !present.contains(i)  ? "·"
                 : passing.contains(i) ? "□"
                 : mixed.contains(i)   ? "▤"
                                       : "■";
    }
    out += fmt::format("  copy {}  {}{}layer{} {}{}\n", copy, marks, n <= kWidest ? "  " : "",
                       there.size() == 1 ? "" : "s", shorter(ranges(there)),
                       missing.empty() || missing.size() > there.size()
                           ? ""
                           : fmt::format("   without layer{} {}", missing.size() == 1 ? "" : "s",
                                         shorter(ranges(missing))));
  }
  if (copies > kMostRows) out += fmt::format("  and {} more\n", copies - kMostRows);
  const auto seams = plan.seams();
  for (size_t i = 0; i < std::min<size_t>(seams.size(), 3); ++i) {
    const auto at = static_cast<size_t>(seams[i]);
    out += fmt::format(
        "  seam    after new layer {}: source layer {} is followed by source layer {}\n", at - 1,
        plan.layers[at - 1].layer, plan.layers[at].layer);
  }
  if (seams.size() > 3) out += fmt::format("          and {} more like it\n", seams.size() - 3);
  const auto any = [&](const auto& what) {
    return std::any_of(plan.layers.begin(), plan.layers.end(), what);
  };
  // What is left without the layers that pass on: the base, or another model.
  std::vector<int64_t> left;
  for (const auto& layer : plan.layers)
    if (!layer.identity) left.push_back(layer.mean_with < 0 ? layer.layer : -1);
  bool same = static_cast<int64_t>(left.size()) == n;
  for (size_t i = 0; same && i < left.size(); ++i) same = left[i] == static_cast<int64_t>(i);
  if (any([](const auto& layer) { return layer.identity; }))
    out += same ? "  □ passes on what it gets: the new model computes what the base does\n"
                : "  □ passes on what it gets\n";
  if (any([](const auto& layer) { return layer.mean_with >= 0; }))
    out += "  ▤ is the mean of both copies' layers at that depth\n";
  return out;
}

void add_layers(OrderedJson& json, const UpscalePlan& plan) {
  auto map = OrderedJson::array(), copy = OrderedJson::array();
  auto identity = OrderedJson::array(), mean_with = OrderedJson::object();
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const auto& layer = plan.layers[i];
    map.push_back(layer.layer);
    copy.push_back(layer.copy);
    if (layer.identity) identity.push_back(i);
    if (layer.mean_with >= 0) mean_with[std::to_string(i)] = layer.mean_with;
  }
  if (plan.drop >= 0) json["drop"] = plan.drop;
  json["seam"] = plan.seam;
  json["layer_map"] = std::move(map);
  json["layer_copy"] = std::move(copy);
  if (!identity.empty()) json["identity_layers"] = std::move(identity);
  if (!mean_with.empty()) json["mean_with"] = std::move(mean_with);
}

}  // namespace helio::cli
