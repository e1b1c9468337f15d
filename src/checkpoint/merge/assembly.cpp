#include "checkpoint/merge/assembly.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <set>

#include "checkpoint/cast.h"
#include "checkpoint/merge/vocabulary.h"
#include "checkpoint/model_folder.h"
#include "checkpoint/safetensors_header.h"
#include "checkpoint/surgery_config.h"
#include "core/error.h"

namespace helio::checkpoint {
namespace {

int64_t count_parameters(const std::vector<TensorCopy>& tensors) {
  int64_t count = 0;
  for (const auto& tensor : tensors)
    if (!tensor.name.ends_with(".inv_freq")) count += tensor.source->elements();  // a table
  return count;
}

std::string text_of(const OrderedJson& config, const char* key) {
  const auto it = config.find(key);
  return it == config.end() || it->is_null() ? "nothing" : compact(*it);
}

}  // namespace

Assembly::Assembly(MergePlan plan, const FindModel& find, uint64_t seed, uint64_t shard_size)
    : plan_(std::move(plan)), seed_(seed) {
  std::map<std::string, size_t> opened;
  const auto index_of = [&](const std::string& name) {
    const auto [it, fresh] = opened.try_emplace(name, 0);
    if (fresh) it->second = open_model(name, find);
    return it->second;
  };
  for (auto& slice : plan_.slices)
    for (auto& source : slice.sources)
      in_context([&] { return "reading a model of " + source.mark.str(); },
                 [&] {
                   const size_t model = index_of(source.model);
                   const int64_t layers = models_[model]->layers();
                   if (source.end < 0) source.end = layers;
                   if (source.end > layers)
                     throw Error(ErrorKind::invalid,
                                 fmt::format("layer_range [{}, {}]: '{}' has layers 0 to {}",
                                             source.first, source.end, source.model, layers - 1));
                 });
  base_ = plan_.base_model.empty() ? 0 : index_of(plan_.base_model);
  for (size_t i = 0; i < models_.size(); ++i)
    if (i != base_) {
      check_alike(*models_[i], names_[i]);
      if (plan_.base_tokenizer) check_same_vocabulary(base().dir(), models_[i]->dir());
    }
  place_layers();
  place_outer(plan_.slices.front(), false);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const PlanSlice& slice = plan_.slices[layer.slice];
    std::set<std::string> parts;
    for (const auto& [model, from] : layer.from)
      for (const auto& [part, tensor] : models_[model]->layer(from)) parts.insert(part);
    for (const auto& part : parts) {
      std::vector<Source> sources;
      for (size_t j = 0; j < layer.from.size(); ++j) {
        const auto& [model, from] = layer.from[j];
        sources.push_back({.model = model,
                           .tensor = &models_[model]->weights().at(
                               fmt::format("{}{}.{}", kLayerPrefix, from, part)),
                           .settings = &slice.sources[j].parameters});
      }
      add(fmt::format("{}{}.{}", kLayerPrefix, i, part), slice, layer.depth, sources);
    }
  }
  place_outer(plan_.slices.back(), true);

  std::vector<ConfigLayer> from;
  for (const auto& layer : layers_) {
    // Of a mean the model that the plan names first.
    const auto& [model, number] = layer.from[0];
    from.push_back({.config = &models_[model]->config(), .layer = number});
  }
  config_ = config_of_layers(base().config(), from, base().origin());
  if (const auto& dtype = plan_.out_dtype.empty() ? plan_.dtype : plan_.out_dtype; !dtype.empty()) {
    const bool old_key = config_.contains("torch_dtype") || !config_.contains("dtype");
    if (old_key) config_["torch_dtype"] = dtype;
    if (config_.contains("dtype")) config_["dtype"] = dtype;
  }
  uint64_t largest = 0;
  for (const auto& file : base().weights().files())
    largest = std::max<uint64_t>(largest, fs::file_size(file));
  if (shard_size == 0 && base().weights().files().size() > 1) shard_size = largest;
  auto metadata = base().weights().metadata();
  metadata.try_emplace("format", "pt");  // transformers 4 refuses files without it
  files_ = plan_output(tensors_, metadata, shard_size);
}

size_t Assembly::open_model(const std::string& name, const FindModel& find) {
  names_.push_back(name);
  models_.push_back(std::make_unique<LayeredModel>(find(name)));
  return models_.size() - 1;
}

// What the weights' shapes cannot show.
void Assembly::check_alike(const LayeredModel& model, const std::string& name) {
  const auto differ = [&](const char* key) {
    return text_of(model.config(), key) != text_of(base().config(), key);
  };
  const auto both = [&](const char* key) {
    return fmt::format("'{}' is {} in '{}' and {} in '{}'", key, text_of(base().config(), key),
                       names_[base_], text_of(model.config(), key), name);
  };
  if (differ("architectures"))
    throw Error(ErrorKind::invalid, both("architectures"))
        .with_hint("only models of one architecture are merged");
  for (const char* key : {"num_attention_heads", "num_key_value_heads", "head_dim",
                          "num_local_experts", "num_experts"})
    if (differ(key) && text_of(model.config(), key) != "nothing" &&
        text_of(base().config(), key) != "nothing")
      throw Error(ErrorKind::invalid, both(key)).with_hint("their weights mean different things");
  for (const char* key :
       {"rope_theta", "rope_scaling", "rope_parameters", "rms_norm_eps", "hidden_act",
        "hidden_activation", "sliding_window", "num_experts_per_tok", "query_pre_attn_scalar",
        "attn_logit_softcapping", "final_logit_softcapping"})
    if (differ(key)) plan_.notes.push_back(both(key) + ": the new model has the first");
}

void Assembly::place_layers() {
  for (size_t s = 0; s < plan_.slices.size(); ++s) {
    const PlanSlice& slice = plan_.slices[s];
    const int64_t count = slice.sources[0].end - slice.sources[0].first;
    for (const auto& source : slice.sources)
      if (source.end - source.first != count)
        throw Error(ErrorKind::invalid, fmt::format("{}: '{}' has {} layers, '{}' {}",
                                                    source.mark.str(), slice.sources[0].model,
                                                    count, source.model, source.end - source.first))
            .with_hint("models of different depth: say which layers belong together with 'slices'");
    for (int64_t i = 0; i < count; ++i) {
      Layer layer{.slice = s,
                  .depth = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 1};
      for (const auto& source : slice.sources) {
        const auto name = std::find(names_.begin(), names_.end(), source.model);
        layer.from.emplace_back(static_cast<size_t>(name - names_.begin()), source.first + i);
      }
      layers_.push_back(std::move(layer));
    }
  }
  if (layers_.size() > static_cast<size_t>(kMostLayers))
    throw Error(ErrorKind::invalid,
                fmt::format("the new model would have {} layers; {} are the most", layers_.size(),
                            kMostLayers));
}

void Assembly::place_outer(const PlanSlice& slice, bool above) {
  std::set<std::string> names;
  std::vector<size_t> models;
  for (const auto& source : slice.sources) {
    const auto name = std::find(names_.begin(), names_.end(), source.model);
    models.push_back(static_cast<size_t>(name - names_.begin()));
    const auto& model = *models_[models.back()];
    for (const auto& [part, tensor] : above ? model.above() : model.below()) names.insert(part);
  }
  for (const auto& name : names) {
    std::vector<Source> sources;
    for (size_t j = 0; j < models.size(); ++j) {
      const TensorInfo* tensor = models_[models[j]]->weights().find(name);
      if (tensor == nullptr && name == "lm_head.weight")
        throw Error(ErrorKind::invalid,
                    fmt::format("'{}' has an output head of its own (lm_head.weight) and '{}' "
                                "shares the embedding's",
                                names_[models[j == 0 ? models.size() - 1 : 0]], names_[models[j]]))
            .with_hint("tied and untied models are not merged");
      sources.push_back({.model = models[j],
                         .tensor = &models_[models[j]]->weights().at(name),
                         .settings = &slice.sources[j].parameters});
      // One model's copies differ in their layers only.
      if (slice.average && models[j] == models[0]) break;
    }
    add(name, slice, 0, sources);
  }
}

void Assembly::add(const std::string& name, const PlanSlice& slice, double depth,
                   const std::vector<Source>& sources) {
  check_shapes(name, sources);
  const TensorInfo& first = *sources[0].tensor;
  const bool in_layer = name.starts_with(kLayerPrefix);
  const bool quantised = base().config().contains("quantization_config") &&
                         !base().config()["quantization_config"].is_null();
  if (slice.identity && in_layer && writes_to_residual(name)) {
    if (quantised || !is_castable(first.dtype))
      throw Error(ErrorKind::invalid, "tensor '" + shown(name) + "' is quantised: it has no zero")
          .with_hint("start from the model that it was made from");
    DType dtype = first.dtype;
    if (const auto& word = plan_.out_dtype.empty() ? plan_.dtype : plan_.out_dtype; !word.empty())
      dtype = dtype_of_word(word);
    return add_made(name, dtype, first, {.fill = [](uint64_t, std::span<std::byte> to) {
                      std::fill(to.begin(), to.end(), std::byte(0));
                    }});
  }
  const bool floats = is_castable(first.dtype);
  if (name.ends_with(".inv_freq") || !floats) {
    for (const auto& source : sources) {
      const auto a = models_[sources[0].model]->weights().data(first);
      const auto b = models_[source.model]->weights().data(*source.tensor);
      if (floats || std::equal(a.begin(), a.end(), b.begin(), b.end())) continue;
      throw Error(
          ErrorKind::invalid,
          fmt::format("tensor '{}' is {} and differs between '{}' and '{}'", shown(name),
                      dtype_name(first.dtype), names_[sources[0].model], names_[source.model]))
          .with_hint("quantised weights are not merged: merge the models they were made from");
    }
    return add_copy(name, sources[0]);
  }
  add_merge(name, slice, depth, sources);
}

void Assembly::add_copy(const std::string& name, const Source& source) {
  tensors_.push_back({.name = name, .source = source.tensor, .checkpoint = source.model});
}

void Assembly::add_made(const std::string& name, DType dtype, const TensorInfo& like,
                        MadeValues values) {
  made_.push_back({.name = name,
                   .dtype = dtype,
                   .shape = like.shape,
                   .size = tensor_bytes(name, dtype, like.shape)});
  tensors_.push_back({.name = name,
                      .source = &made_.back(),
                      .made = std::make_shared<const MadeValues>(std::move(values))});
}

void Assembly::check_shapes(const std::string& name, const std::vector<Source>& sources) const {
  for (const auto& source : sources)
    if (source.tensor->shape != sources[0].tensor->shape) {
      const bool vocabulary = name.find("embed_tokens") != name.npos || name == "lm_head.weight";
      throw Error(ErrorKind::invalid,
                  fmt::format("tensor '{}' has shape [{}] in '{}' and [{}] in '{}'", shown(name),
                              fmt::join(sources[0].tensor->shape, ", "), names_[sources[0].model],
                              fmt::join(source.tensor->shape, ", "), names_[source.model]))
          .with_hint(vocabulary ? "their vocabularies differ: bring them to one with `helio model "
                                  "resize`"
                                : "only models of one shape are merged");
    }
}

Assembly::Size Assembly::before() const {
  Size size{.layers = base().layers(), .files = base().weights().files().size()};
  for (const auto& tensor : base().weights().tensors())
    if (!tensor.name.ends_with(".inv_freq")) size.parameters += tensor.elements();
  for (const auto& file : base().weights().files()) size.bytes += fs::file_size(file);
  return size;
}

Assembly::Size Assembly::after() const {
  Size size{.layers = static_cast<int64_t>(layers_.size()),
            .parameters = count_parameters(tensors_),
            .files = files_.size()};
  for (const auto& file : files_) size.bytes += file.size;
  return size;
}

void Assembly::write(const fs::path& dir, const std::string& role, Manifest& manifest, int threads,
                     Monitor& monitor, const StopRequest& stop) const {
  auto inputs = std::async(std::launch::async, [&] {
    std::vector<ArtefactInput> out;
    for (const auto& model : models_) out.push_back(describe_input(role, model->dir()));
    return out;
  });
  not_numbers_ = 0;
  std::vector<const SafeTensors*> sources;
  for (const auto& model : models_) sources.push_back(&model->weights());
  manifest.files = write_output(dir, sources, files_, threads, monitor, stop);
  write_file_atomic(dir / "config.json", pretty(config_));
  copy_companions(base().dir(), dir);
  manifest.inputs = inputs.get();
}

}  // namespace helio::checkpoint
