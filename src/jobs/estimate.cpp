#include "jobs/estimate.h"

#include <algorithm>
#include <optional>

#include "checkpoint/hf_config.h"
#include "checkpoint/surgery.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/options.h"
#include "core/parallel.h"
#include "train/new_config.h"
#include "train/workload.h"

namespace helio::jobs {
namespace {

using checkpoint::DecoderConfig;

// f32 FLOP/s of whole training steps per core: on the low side (machines with AVX-512 have reached
// 80e9, docs/training.md). A run's own plan measures its machine (train/estimate.h).
constexpr double kFlopsPerCore = 30e9;

int64_t whole(const OrderedJson& options, const char* key, int64_t otherwise = 0) {
  return options.contains(key) && options.at(key).is_number() ? options.at(key).get<int64_t>()
                                                              : otherwise;
}

template <class Options>
Options read(const OrderedJson& written, const std::string& stage) {
  Options options;
  read_options(parse_yaml(compact(written), stage), describe(options));
  return options;
}

// Of a model from outside; none where there is no config.json that we run, yet.
std::optional<DecoderConfig> config_of_folder(const fs::path& dir) {
  if (!fs::exists(dir / "config.json")) return std::nullopt;
  try {
    return checkpoint::load_decoder_config(dir);
  } catch (const Error&) {
    return std::nullopt;  // the stage itself will say what is wrong with it
  }
}

// Each new layer has the size of its source. None where the options make nothing deeper.
std::optional<DecoderConfig> deeper(const DecoderConfig& base,
                                    const checkpoint::UpscaleOptions& options) {
  checkpoint::UpscalePlan plan;
  try {
    plan = checkpoint::plan_upscale(base.layers, options);
  } catch (const Error&) {
    return std::nullopt;  // the stage itself will say what is wrong with them
  }
  DecoderConfig config = base;
  config.layers = static_cast<int64_t>(plan.layers.size());
  config.layer_kinds.clear();
  config.experts.dense_layers.clear();
  for (size_t i = 0; i < plan.layers.size(); ++i)
    if (base.experts.count > 0 && !base.has_experts(plan.layers[i].layer))
      config.experts.dense_layers.push_back(static_cast<int64_t>(i));
  return config;
}

Estimate estimate_training(const Stage& stage, const DecoderConfig& config,
                           const train::Optimisation& train) {
  const OrderedJson& options = stage.written;
  train::Workload work{.steps = train.steps,
                       .sequence = stage.kind == "pretrain" ? whole(options, "sequence")
                                                            : whole(options, "max_length") / 2,
                       .step_rows = train.batch_size,
                       .micro_rows = train.micro_batch_size,
                       .train = train};
  work.tokens = work.steps * work.step_rows * work.sequence;
  // Two answers to each prompt, in as many steps of sDPO.
  if (stage.kind == "align") work.tokens *= 2 * std::max<int64_t>(1, whole(options, "steps"));
  Estimate e{.parameters = config.parameters(),
             .tokens = work.tokens,
             .memory_bytes = train::peak_memory(config, work),
             .flops = train::run_flops(config, work)};
  e.seconds = e.flops / (kFlopsPerCore * estimate_threads());
  return e;
}

}  // namespace

int estimate_threads() { return hardware_threads(); }

std::map<std::string, Estimate> estimate_recipe(const Recipe& recipe) {
  std::map<std::string, Estimate> estimates;
  std::map<std::string, DecoderConfig> configs;
  int64_t vocab = 0;
  const auto config_behind = [&](const Stage& stage,
                                 const char* role) -> std::optional<DecoderConfig> {
    for (const auto& input : stage.inputs) {
      if (input.role != role) continue;
      if (input.stage < 0) return config_of_folder(input.path);
      const auto found = configs.find(recipe.stages[static_cast<size_t>(input.stage)].name);
      if (found != configs.end()) return found->second;
    }
    return std::nullopt;
  };
  for (const auto& stage : recipe.stages) {
    const OrderedJson& options = stage.written;
    if (stage.kind == "tokenizer train") vocab = whole(options, "vocab_size");
    if (stage.kind == "upscale") {
      checkpoint::UpscaleOptions given;
      given.method = options.value("method", given.method);
      given.plan = options.value("plan", given.plan);
      given.drop = whole(options, "drop", given.drop);
      given.copies = whole(options, "copies", given.copies);
      given.every = whole(options, "every", given.every);
      if (const auto base = config_behind(stage, "model"); base && given.plan.empty())
        if (const auto config = deeper(*base, given)) configs.emplace(stage.name, *config);
      continue;
    }
    if (!options.contains("train")) continue;
    auto config = config_behind(stage, stage.kind == "pretrain" ? "init" : "model");
    if (!config && stage.kind == "pretrain" && options.at("init").get<std::string>().empty())
      config = train::new_config(read<train::ModelShape>(options.at("model"), stage.name), vocab);
    if (!config) continue;  // a model that is not there yet
    configs.emplace(stage.name, *config);
    const auto train = read<train::Optimisation>(options.at("train"), stage.name);
    if (train.steps == 0) continue;  // as many as the data gives: known when the data is
    estimates[stage.name] = estimate_training(stage, *config, train);
  }
  return estimates;
}

}  // namespace helio::jobs
