#include "checkpoint/merge/merge.h"

#include <fmt/format.h>

#include "checkpoint/made_tensors.h"
#include "checkpoint/model_folder.h"
#include "core/error.h"
#include "core/manifest.h"

namespace helio::checkpoint {
namespace {

fs::path folder_name(fs::path path) {
  if (path.filename().empty()) path = path.parent_path();
  return path.filename();
}

}  // namespace

fs::path find_plan_model(const std::string& name, const fs::path& plan,
                         const std::vector<std::string>& given) {
  for (const auto& folder : given)
    if (folder_name(folder) == name) return folder;
  if (fs::exists(name)) return name;
  if (const fs::path beside = plan.parent_path() / name; fs::exists(beside)) return beside;
  const bool adapter = name.find('+') != std::string::npos;
  const bool revision = name.find('@') != std::string::npos;
  throw Error(ErrorKind::not_found, fmt::format("there is no model '{}'", name))
      .with_hint(adapter    ? "LoRA adapters ('model+adapter') are not merged here: merge the "
                              "adapter into its model first"
                 : revision ? "revisions ('model@revision') are not fetched: give a folder"
                            : "models are folders here, seen from where helio runs or from the "
                              "plan; download it first, or name its folder with --models");
}

Merge::Merge(const MergeOptions& options) : options_(options) {
  const auto find = [&](const std::string& name) {
    const fs::path dir = find_plan_model(name, options_.plan, options_.models);
    if (!options_.out.empty()) check_new_model_folder(dir, options_.out);
    return dir;
  };
  assembly_ = std::make_unique<Assembly>(load_merge_plan(options.plan), find,
                                         static_cast<uint64_t>(options.seed),
                                         static_cast<uint64_t>(options.shard_size));
}

void Merge::write(Monitor& monitor, const StopRequest& stop) const {
  write_model_folder(options_.out, "the merged model", stop, [&](const fs::path& dir) {
    Manifest manifest = model_manifest(options_.out, "merge");
    assembly_->write(dir, "models", manifest, worker_count(options_.threads), monitor, stop);
    stop.check();
    seal(dir, manifest);
  });
}

void Merge::seal(const fs::path& dir, Manifest& manifest) const {
  auto names = OrderedJson::array();
  for (size_t i = 0; i < assembly_->models().size(); ++i) {
    names.push_back(manifest.inputs[i].name);
    if (assembly_->models()[i].get() == &assembly_->base()) manifest.facts["base"] = names.back();
  }
  manifest.inputs.push_back(describe_input("plan", options_.plan));
  manifest.options = {{"shard_size", options_.shard_size}, {"seed", options_.seed}};
  const auto before = assembly_->before(), after = assembly_->after();
  manifest.facts["method"] = assembly_->plan().method->name;
  manifest.facts["models"] = std::move(names);
  manifest.facts["parameters"] = after.parameters;
  manifest.facts["layers"] = after.layers;
  manifest.facts["base_parameters"] = before.parameters;
  manifest.facts["base_layers"] = before.layers;
  manifest.facts["computed_tensors"] = assembly_->computed_tensors();
  if (assembly_->not_numbers() > 0) manifest.facts["not_numbers"] = assembly_->not_numbers();
  auto layers = OrderedJson::array();
  for (const auto& layer : assembly_->layers()) {
    auto from = OrderedJson::array();
    for (const auto& [model, number] : layer.from) from.push_back({model, number});
    layers.push_back(std::move(from));
  }
  manifest.facts["layer_sources"] = std::move(layers);
  seal_artefact(dir, manifest);
}

}  // namespace helio::checkpoint
