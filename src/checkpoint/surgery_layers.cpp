// Which layer goes where: the rules of depth up-scaling, without any weights.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checkpoint/decoder_weights.h"
#include "checkpoint/surgery.h"
#include "checkpoint/surgery_config.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

Error usage(const std::string& what, const std::string& hint) {
  return Error(ErrorKind::usage, what).with_hint(hint);
}

void check_depth(int64_t layers) {
  if (layers > kMostLayers)
    throw usage(
        fmt::format("the new model would have {} layers; {} are the most", layers, kMostLayers),
        "make fewer copies");
}

UpscalePlan stack(int64_t n, int64_t m, int64_t copies) {
  const int64_t most = (n - 1) / 2;
  if (n < 1 || m < 0 || m > most)
    throw usage(
        fmt::format("cannot drop {} of {} layers: two copies without them would have {}, "
                    "no deeper than the model",
                    m, n, std::max<int64_t>(0, 2 * (n - m))),
        n < 1 ? "the model has no layers"
              : fmt::format("--drop can be 0 (repeat everything) to {}; SOLAR drops a quarter: {}",
                            most, n / 4));
  check_depth(copies * n - 2 * m * (copies - 1));
  UpscalePlan plan{.source_layers = n, .drop = m, .seam = n - m};
  for (int64_t copy = 1; copy <= copies; ++copy)
    for (int64_t i = copy == 1 ? 0 : m; i < (copy == copies ? n : n - m); ++i)
      plan.layers.push_back({.layer = i, .copy = copy});
  return plan;
}

UpscalePlan interleave(int64_t n, int64_t every, int64_t copies) {
  if (every < 1 || every > n)
    throw usage(every < 1
                    ? "interleave needs to know after how many layers"
                    : fmt::format("a new layer after every {} of {} layers is none", every, n),
                fmt::format("add --every K, from 1 to {}; LLaMA Pro puts in one after every 4", n));
  check_depth(n + n / every * (copies - 1));
  UpscalePlan plan{.source_layers = n, .seam = every};
  for (int64_t i = 0; i < n; ++i) {
    plan.layers.push_back({.layer = i, .copy = 1});
    if ((i + 1) % every == 0)
      for (int64_t copy = 2; copy <= copies; ++copy)
        plan.layers.push_back({.layer = i, .copy = copy});
  }
  return plan;
}

// Beside each seam both copies go on for `width` layers into what was dropped, and each of these
// 2 * width layers is the mean of the two at that depth.
void average_seams(UpscalePlan& plan, int64_t width) {
  if (plan.drop < 1 || width > plan.drop)
    throw usage(fmt::format("a seam of width {} needs {} dropped layers, and {} {} dropped", width,
                            width, std::max<int64_t>(0, plan.drop), plan.drop == 1 ? "is" : "are"),
                plan.drop < 1 ? "the mean is with layers that --drop leaves out"
                              : fmt::format("--seam-width can be 1 to {}", plan.drop));
  const auto seams = plan.seams();
  for (size_t i = 0; i < seams.size(); ++i) {
    const int64_t end =
        i + 1 < seams.size() ? seams[i + 1] : static_cast<int64_t>(plan.layers.size());
    const int64_t begin = i == 0 ? 0 : seams[i - 1];
    const bool shared = seams.size() > 1;  // a middle copy has a seam at both ends
    if (end - seams[i] < (shared ? 2 : 1) * width || seams[i] - begin < (shared ? 2 : 1) * width)
      throw usage(fmt::format("seams of width {} meet in a copy of {} layers", width,
                              std::min(end - seams[i], seams[i] - begin)),
                  "choose a smaller --seam-width or --drop");
    const int64_t shift = plan.source_layers - 2 * plan.drop;  // what a layer goes back at a seam
    for (int64_t j = seams[i] - width; j < seams[i] + width; ++j) {
      auto& layer = plan.layers[static_cast<size_t>(j)];
      layer.mean_with = layer.layer + (j < seams[i] ? -shift : shift);
    }
  }
}

}  // namespace

std::vector<int64_t> UpscalePlan::seams() const {
  std::vector<int64_t> out;
  for (size_t i = 1; i < layers.size(); ++i)
    if (layers[i].copy > layers[i - 1].copy) out.push_back(static_cast<int64_t>(i));
  return out;
}

UpscalePlan plan_upscale(int64_t source_layers, int64_t drop) {
  return stack(source_layers, drop, 2);
}

UpscalePlan plan_upscale(int64_t source_layers, const UpscaleOptions& options) {
  const bool solar = options.method == "solar";
  if (solar && options.drop < 0)
    throw usage("how many layers are dropped is not said",
                fmt::format("add --drop M, from 0 to {}; SOLAR drops a quarter: {}",
                            std::max<int64_t>(0, (source_layers - 1) / 2), source_layers / 4));
  if (solar && options.every > 0)
    throw usage("--every belongs to --method interleave", "leave it out, or choose that method");
  if (!solar && options.drop >= 0)
    throw usage("--drop belongs to --method solar", "leave it out: interleave drops nothing");
  UpscalePlan plan = solar ? stack(source_layers, options.drop, options.copies)
                           : interleave(source_layers, options.every, options.copies);
  if (options.seam == "average") {
    if (!solar)
      throw usage("--seam average belongs to --method solar",
                  "interleaved copies stand beside what they are copies of");
    if (options.init == "identity")
      throw usage("--seam average and --init identity contradict each other",
                  "averaged layers change what the model computes: choose one of the two");
    average_seams(plan, options.seam_width);
  }
  if (options.init == "identity") {
    std::set<int64_t> seen;  // the first of each layer does what it did
    for (auto& layer : plan.layers) layer.identity = !seen.insert(layer.layer).second;
  }
  return plan;
}

MergePlan merge_plan(const UpscalePlan& plan, const std::string& model) {
  MergePlan out{.method = &merge_method("passthrough"), .source = "the up-scaling"};
  const auto follows = [](const LayerSource& a, const LayerSource& b) {
    return b.layer == a.layer + 1 && b.copy == a.copy && b.identity == a.identity &&
           (b.mean_with < 0) == (a.mean_with < 0) &&
           (b.mean_with < 0 || b.mean_with == a.mean_with + 1);
  };
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const LayerSource& layer = plan.layers[i];
    if (i > 0 && follows(plan.layers[i - 1], layer)) {
      for (auto& source : out.slices.back().sources) ++source.end;
      continue;
    }
    PlanSlice slice{.identity = layer.identity, .average = layer.mean_with >= 0};
    slice.sources.push_back({.model = model, .first = layer.layer, .end = layer.layer + 1});
    if (slice.average)
      slice.sources.push_back(
          {.model = model, .first = layer.mean_with, .end = layer.mean_with + 1});
    out.slices.push_back(std::move(slice));
  }
  return out;
}

int64_t upscaled_parameters(const DecoderConfig& source, const UpscalePlan& plan) {
  int64_t count = 0;
  for (const auto& weight : outer_weights(source)) count += weight.elements();
  for (const auto& layer : plan.layers)
    for (const auto& weight : layer_weights(source, layer.layer, source.experts.count))
      count += weight.elements();
  return count;
}

OrderedJson upscaled_config(const OrderedJson& source, const UpscalePlan& plan,
                            const std::string& origin) {
  check_layered(source, origin);
  std::vector<ConfigLayer> layers;
  for (const auto& layer : plan.layers) layers.push_back({.config = &source, .layer = layer.layer});
  return config_of_layers(source, layers, origin);
}

}  // namespace helio::checkpoint
