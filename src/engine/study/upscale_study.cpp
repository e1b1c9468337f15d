#include "engine/study/upscale_study.h"

#include <memory>

#include "checkpoint/surgery.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/manifest.h"
#include "core/options.h"
#include "core/version.h"
#include "train/pretrain.h"
#include "train/study/loss_curve.h"
#include "train/study/variants.h"

namespace helio::engine {
namespace {

using checkpoint::UpscaleOptions;
using train::Optimisation;
using train::PretrainOptions;
using train::StudyCell;
using train::StudyPlan;
using train::StudyVariant;

constexpr const char* kBase = "base";
const std::vector<std::string> kCommands = {"upscale", "continue", "scratch"};
const std::vector<std::string> kOwn = {"model", "out", "plan"};

// What a variant can say beside its command: up-scaling, training, and a scratch model's depth.
struct VariantOptions {
  UpscaleOptions upscale = {};
  int64_t layers = 0;
  Optimisation train = {};
  void describe(Fields& f) {
    upscale.describe(f);
    f("layers", layers, "For scratch: decoder layers of the new model.", at_least(0));
    f.section("train", train, "Optimisation of this variant.");
  }
};

struct Study {
  UpscaleStudyOptions options = {};
  train::ModelShape shape = {};  // of the base
  Monitor& monitor;
  const StopRequest& stop;

  fs::path folder(const std::string& variant, int64_t seed) const {
    return train::cell_folder({.out = options.out}, {.variant = variant, .seed = seed});
  }
  std::string base(int64_t seed) const {
    return options.base.empty() ? (folder(kBase, seed) / "model").string() : options.base;
  }
};

VariantOptions read_variant(const Study& study, const StudyVariant& variant) {
  VariantOptions options{.train = study.options.recover};
  if (variant.command == "scratch") {
    const int64_t steps = options.train.steps;
    options.train = study.options.pretrain.train;
    options.train.steps = steps;
    options.train.validate_every = study.options.recover.validate_every;
  }
  read_options(variant.overrides, describe(options));
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::invalid, "variant '" + variant.name + "': " + what);
  };
  if (options.train.steps == 0) refuse("the token budget is not said: recover.steps");
  if (variant.command == "scratch" && options.layers == 0)
    refuse("from scratch with how many layers?");
  if (variant.command != "scratch" && options.layers != 0)
    refuse("layers is said for scratch alone; an up-scaling's follow from its rule");
  if (variant.command == "upscale") checkpoint::plan_upscale(study.shape.layers, options.upscale);
  return options;
}

// Training in `dir`, from `init` or (empty) from scratch with so many layers.
PretrainOptions training(const Study& study, const fs::path& dir, const std::string& init,
                         int64_t layers, const Optimisation& train, int64_t seed) {
  PretrainOptions options = study.options.pretrain;
  options.tokens = study.options.tokens;
  options.tokenizer = study.options.tokenizer;
  options.init = init;
  options.model = study.shape;
  options.model.layers = layers;
  options.train = train;
  options.train.seed = seed;
  options.train.threads = study.options.threads;
  options.out = (dir / "model").string();
  options.run = (dir / "run").string();
  options.unfinished = {.resume = true};
  return options;
}

OrderedJson costs(const Study& study, int64_t layers, const Optimisation& train) {
  const OrderedJson plan = train::PretrainRun(training(study, fs::path(study.options.out) / "cost",
                                                       "", layers, train, 1))
                               .plan();
  return {{"steps", plan.at("steps")},
          {"tokens", plan.at("tokens")},
          {"seconds", plan.at("seconds")},
          {"layers", layers},
          {"parameters", plan.at("parameters")}};
}

OrderedJson or_null(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

double base_loss(const Study& study, int64_t seed) {
  const fs::path file = study.folder(kBase, seed) / "result.json";
  return load_json(file).at("figures").at("final_loss").get<double>();
}

// Trains and takes the figures. `target`: the loss that is to be recovered.
OrderedJson trained(const Study& study, const fs::path& dir, const PretrainOptions& options,
                    const std::optional<double>& target) {
  const auto summary = train::PretrainRun(options).run(study.monitor, study.stop);
  if (!summary.heldout_end)
    throw Error(ErrorKind::invalid, "the token shards have no held-out documents to measure with")
        .with_hint("build them from a dataset with split.heldout");
  const auto tokens = static_cast<double>(summary.tokens);
  const auto curve = train::read_loss_curve(dir / "run" / "metrics.jsonl",
                                            tokens / static_cast<double>(summary.steps));
  const auto config = checkpoint::load_decoder_config(options.out);
  OrderedJson points = OrderedJson::array();
  for (const auto& point : curve) points.push_back({point.tokens, point.loss});
  return {{"figures",
           {{"parameters", static_cast<double>(config.parameters()) / 1e6},
            {"start_loss", or_null(summary.heldout_start)},
            {"recovery_tokens",
             or_null(target ? train::tokens_to_reach(curve, *target) : std::nullopt)},
            {"final_loss", or_null(summary.heldout_end)},
            {"tokens", tokens}}},
          {"facts", {{"layers", config.layers}, {"curve", points}, {"target", or_null(target)}}}};
}

StudyCell base_cell(const std::shared_ptr<const Study>& study, int64_t seed) {
  const UpscaleStudyOptions& given = study->options;
  StudyCell cell{.variant = kBase, .seed = seed};
  if (given.base.empty()) {
    const auto options = training(*study, study->folder(kBase, seed), "", study->shape.layers,
                                  given.pretrain.train, seed);
    cell.key = sha256_hex("base " + train::PretrainRun(options).key());
    cell.run = [=](const fs::path& dir) { return trained(*study, dir, options, {}); };
    cell.cost = [=] { return costs(*study, study->shape.layers, options.train); };
    return cell;
  }
  // A base from outside is only measured: by what a run that learns nothing says of its start.
  Optimisation still{.steps = 1, .lr = 0};
  still.batch_size = 1;
  const auto options =
      training(*study, study->folder(kBase, seed), given.base, study->shape.layers, still, seed);
  cell.key = sha256_hex("measured base " + train::PretrainRun(options).key());
  cell.run = [=](const fs::path& dir) {
    OrderedJson result = trained(*study, dir, options, {});
    result["figures"]["final_loss"] = result["figures"]["start_loss"];
    result["figures"]["tokens"] = 0;
    fs::remove_all(dir / "model");
    return result;
  };
  return cell;
}

StudyCell variant_cell(const std::shared_ptr<const Study>& study, const StudyVariant& variant,
                       int64_t seed, const std::string& base_key) {
  VariantOptions options = read_variant(*study, variant);
  const bool deeper = variant.command == "upscale", scratch = variant.command == "scratch";
  int64_t layers = scratch ? options.layers : study->shape.layers;
  if (deeper)
    layers = static_cast<int64_t>(
        checkpoint::plan_upscale(study->shape.layers, options.upscale).layers.size());
  OrderedJson decides = {{"base", base_key},
                         {"command", variant.command},
                         {"options", options_json(describe(options))},
                         {"threads", study->options.threads},
                         {"sequence", study->options.pretrain.sequence},
                         {"heldout_tokens", study->options.pretrain.heldout_tokens},
                         {"seed", seed},
                         {"code", code_hash("checkpoint") + code_hash("train")}};
  decides["options"]["train"].erase("save_every");
  return {.variant = variant.name,
          .seed = seed,
          .key = sha256_hex(compact(decides)),
          .run =
              [=](const fs::path& dir) {
                std::string init = scratch ? "" : study->base(seed);
                if (!scratch && !fs::exists(fs::path(init) / "config.json"))
                  throw Error(ErrorKind::not_found, "the base '" + init + "' is not there any more")
                      .with_hint("remove its folder below runs/base: it is trained again");
                if (deeper) {
                  UpscaleOptions upscale = options.upscale;
                  upscale.model = init;
                  upscale.out = init = (dir / "upscaled").string();
                  checkpoint::Upscale(upscale).write(study->monitor, study->stop);
                }
                const OrderedJson result =
                    trained(*study, dir, training(*study, dir, init, layers, options.train, seed),
                            base_loss(*study, seed));
                if (!study->options.keep_models)
                  for (const char* made : {"upscaled", "model"}) fs::remove_all(dir / made);
                return result;
              },
          .cost = [=] { return costs(*study, layers, options.train); }};
}

// The base's shape: asked for, or the given model's.
train::ModelShape base_shape(const UpscaleStudyOptions& options) {
  if (options.base.empty()) return options.pretrain.model;
  const auto config = checkpoint::load_decoder_config(options.base);
  train::ModelShape shape = options.pretrain.model;
  shape.layers = config.layers;
  shape.hidden = config.hidden_size;
  shape.heads = config.heads;
  shape.kv_heads = config.kv_heads;
  shape.ffn = config.intermediate_size;
  shape.context = config.max_positions;
  shape.tied = config.tied_embeddings;
  return shape;
}

}  // namespace

void UpscaleStudyOptions::describe(Fields& f) {
  f("title", title, "Heading of the tables.");
  f.input("tokens", tokens, "Token shards with held-out documents (helio tokens build).");
  f.input("tokenizer", tokenizer, "Tokenizer the shards were made with; empty: the base's.");
  f.input("base", base, "Model to make deeper; empty: one is pre-trained for every seed.");
  f.raw("variants", variants,
        "What is compared: {NAME: {command: upscale, continue or scratch, ...}} with the options "
        "of helio upscale, layers for scratch, and train: {...} over the section recover.");
  f("baseline", baseline, "The variant that others are compared with, seed by seed; empty: none.");
  f("seeds", seeds, "Seeds of initialisation and data order: each variant runs with every one.");
  f("threads", threads, "CPU threads of every run; 0: all cores.", at_least(0));
  f("keep_models", keep_models, "Keep the models of every run, not their figures alone.");
  f.section("pretrain", pretrain, "How the base, and models from scratch, are trained.");
  f.section("recover", recover, "How the deeper models are continued: the budget of all variants.");
  f.output("out", out, "studies", "Folder of study.json, study.md and runs/.");
}

StudyPlan plan_upscale_study(const UpscaleStudyOptions& options, Monitor& monitor,
                             const StopRequest& stop) {
  train::check_not_given({&options.pretrain.tokens, &options.pretrain.tokenizer,
                          &options.pretrain.init, &options.pretrain.out, &options.pretrain.run},
                         "data and folders",
                         "tokens, tokenizer, base and out stand beside the sections");
  const auto variants = train::read_variants(options.variants, kCommands, kOwn);
  const auto seeds = train::read_seeds(options.seeds);
  train::check_not_named(variants, kBase, "variants are made from");
  const auto study = std::make_shared<Study>(
      Study{.options = options, .shape = base_shape(options), .monitor = monitor, .stop = stop});
  if (options.tokenizer.empty()) study->options.tokenizer = options.base;
  StudyPlan plan{.title = options.title,
                 .out = options.out,
                 .baseline = options.baseline,
                 .figures = {{"parameters", "parameters, M", 2},
                             {"start_loss", "held-out loss at step 0", 4},
                             {"recovery_tokens", "tokens to the base's loss", 0},
                             {"final_loss", "final held-out loss", 4},
                             {"tokens", "tokens trained", 0}}};
  for (const int64_t seed : seeds) {
    plan.cells.push_back(base_cell(study, seed));
    const std::string base_key = plan.cells.back().key;
    for (const auto& variant : variants)
      plan.cells.push_back(variant_cell(study, variant, seed, base_key));
  }
  UpscaleStudyOptions shown = options;
  plan.setup = {{"options", options_json(helio::describe(shown))},
                {"tokens", describe_input("tokens", options.tokens).content}};
  return plan;
}

}  // namespace helio::engine
