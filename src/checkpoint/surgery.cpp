#include "checkpoint/surgery.h"

#include <fmt/format.h>

#include <algorithm>

#include "checkpoint/made_tensors.h"
#include "checkpoint/merge/merge.h"
#include "checkpoint/model_folder.h"
#include "core/error.h"
#include "core/manifest.h"

namespace helio::checkpoint {
namespace {

UpscalePlan layers_of_assembly(const Assembly& assembly) {
  UpscalePlan plan;
  for (const auto& model : assembly.models())
    plan.source_layers = std::max(plan.source_layers, model->layers());
  for (const auto& layer : assembly.layers())
    plan.layers.push_back({.layer = layer.from[0].second,
                           .copy = static_cast<int64_t>(layer.slice) + 1,
                           .mean_with = layer.from.size() > 1 ? layer.from[1].second : -1,
                           .identity = assembly.plan().slices[layer.slice].identity});
  const auto seams = plan.seams();
  plan.seam = seams.empty() ? 0 : seams[0];
  return plan;
}

}  // namespace

Upscale::Upscale(const UpscaleOptions& options) : options_(options) {
  if (options.plan.empty() == options.model.empty())
    throw Error(ErrorKind::usage,
                options.plan.empty() ? "no model to make deeper" : "--plan names the models itself")
        .with_hint(options.plan.empty() ? "give its folder, or --plan FILE.yaml"
                                        : "leave the model out, or --plan");
  const UpscaleOptions usual;
  if (!options.plan.empty() && (options.method != usual.method || options.drop != usual.drop ||
                                options.copies != usual.copies || options.every != usual.every ||
                                options.init != usual.init || options.seam != usual.seam ||
                                options.seam_width != usual.seam_width))
    throw Error(ErrorKind::usage, "--plan says which layers, and so does another flag")
        .with_hint("with --plan leave method, drop, copies, every, init and seam out");
  const auto find = [&](const std::string& name) {
    const fs::path dir =
        options_.plan.empty() ? fs::path(name) : find_plan_model(name, options_.plan, {});
    if (!options_.out.empty()) check_new_model_folder(dir, options_.out);
    return dir;
  };
  MergePlan plan;
  if (options.plan.empty()) {
    const OrderedJson config = load_model_config(options.model);
    const auto layers = layers_of(config, (fs::path(options.model) / "config.json").string());
    plan_ = plan_upscale(layers, options);
    plan = merge_plan(plan_, options.model);
  } else {
    plan = load_merge_plan(options.plan);
    if (plan.method->method != MergeMethod::passthrough)
      throw Error(ErrorKind::usage,
                  fmt::format("{}: up-scaling is merge_method: passthrough, not {}", options.plan,
                              plan.method->name))
          .with_hint("helio merge --plan " + options.plan);
  }
  assembly_ = std::make_unique<Assembly>(std::move(plan), find, /*seed=*/0,
                                         static_cast<uint64_t>(options.shard_size));
  if (!options.plan.empty()) plan_ = layers_of_assembly(*assembly_);
}

void Upscale::write(Monitor& monitor, const StopRequest& stop) const {
  write_model_folder(options_.out, "the up-scaled model", stop, [&](const fs::path& dir) {
    Manifest manifest = model_manifest(options_.out, "upscale");
    assembly_->write(dir, "model", manifest, worker_count(0), monitor, stop);
    stop.check();
    seal(dir, manifest);
  });
}

void Upscale::seal(const fs::path& dir, Manifest& manifest) const {
  if (options_.plan.empty()) {
    manifest.options = {
        {"method", options_.method},        {"drop", options_.drop}, {"copies", options_.copies},
        {"every", options_.every},          {"init", options_.init}, {"seam", options_.seam},
        {"seam_width", options_.seam_width}};
  } else {
    manifest.inputs.push_back(describe_input("plan", options_.plan));
  }
  manifest.options["shard_size"] = options_.shard_size;
  auto layer_map = OrderedJson::array(), layer_copy = OrderedJson::array();
  auto identity = OrderedJson::array(), mean_with = OrderedJson::object();
  for (size_t i = 0; i < plan_.layers.size(); ++i) {
    const auto& layer = plan_.layers[i];
    layer_map.push_back(layer.layer);
    layer_copy.push_back(layer.copy);
    if (layer.identity) identity.push_back(i);
    if (layer.mean_with >= 0) mean_with[std::to_string(i)] = layer.mean_with;
  }
  manifest.facts = {{"parameters", after().parameters},
                    {"layers", after().layers},
                    {"base", manifest.inputs[0].name},
                    {"base_parameters", before().parameters},
                    {"base_layers", plan_.source_layers}};
  if (plan_.drop >= 0) manifest.facts["drop"] = plan_.drop;
  manifest.facts["seam"] = plan_.seam;
  manifest.facts["layer_map"] = std::move(layer_map);
  manifest.facts["layer_copy"] = std::move(layer_copy);
  if (assembly_->models().size() > 1) {
    auto models = OrderedJson::array();
    for (const auto& layer : assembly_->layers()) models.push_back(layer.from[0].first);
    manifest.facts["layer_model"] = std::move(models);
  }
  if (!identity.empty()) manifest.facts["identity_layers"] = std::move(identity);
  if (!mean_with.empty()) manifest.facts["mean_with"] = std::move(mean_with);
  seal_artefact(dir, manifest);
}

}  // namespace helio::checkpoint
