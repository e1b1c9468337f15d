#include "engine/study/align_study.h"

#include <memory>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/options.h"
#include "core/version.h"
#include "engine/align_run.h"
#include "eval/run.h"
#include "nn/runtime.h"
#include "train/align.h"
#include "train/score.h"
#include "train/sft.h"
#include "train/study/preference_sources.h"
#include "train/study/variants.h"

namespace helio::engine {
namespace {

using train::AlignOptions;
using train::SftOptions;
using train::StudyCell;
using train::StudyFigure;
using train::StudyPlan;
using train::StudyVariant;

const std::vector<std::string> kCommands = {"align", "sft"};
// What the study gives each run.
const std::vector<std::string> kOwn = {"model",   "data",         "dataset",    "out",
                                       "run",     "limit",        "references", "resume",
                                       "restart", "chat_template"};

// What all cells share; kept alive by their functions.
struct Study {
  AlignStudyOptions options = {};
  fs::path data = {};
  std::string measured = {};  // hash of how figures are taken
  Monitor& monitor;
  const StopRequest& stop;

  std::string pairs(int64_t seed) const {
    return (data / ("pairs-" + std::to_string(seed) + ".jsonl")).string();
  }
  std::string chats(int64_t seed) const {
    return (data / ("chats-" + std::to_string(seed) + ".jsonl")).string();
  }
  std::string references() const { return (fs::path(options.out) / "references").string(); }
  std::string heldout() const { return (data / "heldout.jsonl").string(); }
};

train::ScoreOptions score_options(const Study& study, const std::string& model) {
  train::ScoreOptions score;
  static_cast<train::PreferenceChoice&>(score) = study.options.align;
  score.limit = 0;
  score.dataset.clear();
  score.model = model;
  score.data = study.heldout();
  score.reference = study.options.model;
  score.references = study.references();
  score.threads = study.options.threads;
  return score;
}

eval::EvalOptions eval_options(const Study& study, const std::string& model, const fs::path& out) {
  return {.models = {model},
          .tasks = study.options.tasks,
          .dataset = study.options.dataset,
          .benchmarks = study.options.benchmarks,
          .out = out.string(),
          .limit = study.options.limit,
          .threads = study.options.threads,
          .resume = true};
}

// Hash of what decides the figures of a model, whichever it is.
std::string measure_key(const Study& study) {
  AlignOptions align = study.options.align;
  const OrderedJson all = options_json(describe(align));
  OrderedJson score = OrderedJson::object();
  for (const char* name : {"loss", "beta", "label_smoothing", "f_divergence", "f_alpha",
                           "discopop_tau", "simpo_gamma", "cpo_alpha", "desirable_weight",
                           "undesirable_weight", "max_length", "texts", "chat_template"})
    score[name] = all.at(name);
  if (fs::is_regular_file(align.chat_template))
    score["chat_template"] = sha256_file(align.chat_template);
  OrderedJson decides = {{"score", score},
                         {"heldout", sha256_file(study.heldout())},
                         {"start", describe_input("model", study.options.model).content},
                         {"tasks", study.options.tasks},
                         {"limit", study.options.limit},
                         {"threads", study.options.threads},
                         {"code", code_hash("train") + code_hash("eval")}};
  for (const auto& path : {study.options.dataset, study.options.benchmarks})
    decides["inputs"].push_back(path.empty() ? "" : describe_input("input", path).content);
  return sha256_hex(compact(decides));
}

double per_token(const OrderedJson& row, size_t side) {
  return row.at("log_probs")[side].get<double>() /
         std::max(1.0, row.at("tokens")[side].get<double>());
}

// Held-out preferences and tasks of a model.
OrderedJson figures_of(const Study& study, const std::string& model, const fs::path& dir) {
  int64_t preferred = 0, preferred_sum = 0;
  double chosen = 0, rejected = 0;
  const auto summary = train::score_preferences(
      score_options(study, model), study.monitor, study.stop, [&](const OrderedJson& row) {
        const double a = per_token(row, 0), b = per_token(row, 1);
        preferred += a > b ? 1 : 0;
        preferred_sum += row.at("log_probs")[0] > row.at("log_probs")[1];
        chosen += a;
        rejected += b;
      });
  const auto pairs = static_cast<double>(summary.pairs);
  const bool start = model == study.options.model;
  OrderedJson figures = {
      {"preference", static_cast<double>(preferred) / pairs},
      {"preference_sum", static_cast<double>(preferred_sum) / pairs},
      {"reward_accuracy",
       start ? OrderedJson(nullptr)
             : OrderedJson(static_cast<double>(summary.correct) / static_cast<double>(summary.of))},
      {"reward_margin", summary.margin},
      {"chosen_per_token", chosen / pairs},
      {"rejected_per_token", rejected / pairs}};
  if (study.options.tasks.empty()) return figures;
  nn::prepare_runtime(study.options.threads);
  const auto load = [](const eval::ModelPlace& place, FileHashes& hashes) {
    return model::load_language_model(place.model, {}, place.adapter, &hashes);
  };
  const auto results =
      eval::run_evaluation(eval_options(study, model, dir / "eval"),
                           {.load = load, .monitor = study.monitor, .stop = study.stop});
  for (const auto& result : results.at("results"))
    for (const auto& task : results.at("tasks"))
      if (task.at("name") == result.at("task"))
        figures[task.at("name").get<std::string>()] =
            result.at("status") == "ok"
                ? result.at("metrics").at(task.at("main_metric").get<std::string>()).at("value")
                : OrderedJson(nullptr);
  return figures;
}

AlignOptions align_options(const Study& study, const StudyVariant& variant, int64_t seed,
                           const fs::path& dir) {
  AlignOptions options = study.options.align;
  read_options(variant.overrides, describe(options));
  options.model = study.options.model;
  options.data = study.pairs(seed);
  options.out = (dir / "model").string();
  options.run = (dir / "run").string();
  options.references = study.references();
  options.train.seed = seed;
  options.train.threads = study.options.threads;
  options.unfinished = {.resume = true};
  return options;
}

SftOptions sft_options(const Study& study, const StudyVariant& variant, int64_t seed,
                       const fs::path& dir) {
  SftOptions options = study.options.sft;
  options.chat_template = study.options.align.chat_template;
  read_options(variant.overrides, describe(options));
  options.model = study.options.model;
  options.data = study.chats(seed);
  options.out = (dir / "model").string();
  options.run = (dir / "run").string();
  options.train.seed = seed;
  options.train.threads = study.options.threads;
  options.unfinished = {.resume = true};
  return options;
}

OrderedJson costs(const OrderedJson& plan) {
  return {
      {"steps", plan.at("steps")}, {"tokens", plan.at("tokens")}, {"seconds", plan.at("seconds")}};
}

// A cell's figures, then its models go unless they are kept.
OrderedJson measured(const Study& study, const fs::path& dir, const fs::path& model,
                     const OrderedJson& facts) {
  const OrderedJson figures = figures_of(study, model.string(), dir);
  if (!study.options.keep_models) fs::remove_all(dir / "model");
  return {{"figures", figures}, {"facts", facts}};
}

// What is told of a step; the rest stands in the run's folder.
OrderedJson step_facts(const OrderedJson& step) {
  return {{"pairs", step.at("pairs")},
          {"reference", step.at("reference")},
          {"start_accuracy", step.at("chunk").at("start_accuracy")},
          {"reference_gamma", step.at("chunk").at("reference_gamma")},
          {"rewards_after", step.at("chunk").at("rewards_after")}};
}

StudyCell align_cell(const std::shared_ptr<const Study>& study, const StudyVariant& variant,
                     int64_t seed) {
  const auto key =
      make_align_run(align_options(*study, variant, seed, study->options.out), study->monitor)
          .key();
  return {
      .variant = variant.name,
      .seed = seed,
      .key = sha256_hex(key + " " + study->measured),
      .run =
          [=](const fs::path& dir) {
            const auto options = align_options(*study, variant, seed, dir);
            const OrderedJson facts =
                make_align_run(options, study->monitor).run(study->monitor, study->stop);
            OrderedJson told = {{"steps", OrderedJson::array()}};
            for (const auto& step : facts.at("steps")) told["steps"].push_back(step_facts(step));
            const fs::path last =
                fs::path(options.out) / ("step-" + std::to_string(facts.at("steps").size()));
            return measured(*study, dir, last, told);
          },
      .cost =
          [=] {
            return costs(make_align_run(align_options(*study, variant, seed, study->options.out),
                                        study->monitor)
                             .plan());
          }};
}

StudyCell sft_cell(const std::shared_ptr<const Study>& study, const StudyVariant& variant,
                   int64_t seed) {
  const auto key = train::SftRun(sft_options(*study, variant, seed, study->options.out)).key();
  return {.variant = variant.name,
          .seed = seed,
          .key = sha256_hex(key + " " + study->measured),
          .run =
              [=](const fs::path& dir) {
                const auto options = sft_options(*study, variant, seed, dir);
                const auto summary = train::SftRun(options).run(study->monitor, study->stop);
                return measured(*study, dir, options.out, summary.json());
              },
          .cost =
              [=] {
                return costs(
                    train::SftRun(sft_options(*study, variant, seed, study->options.out)).plan());
              }};
}

void check_sections(const AlignStudyOptions& options) {
  train::check_not_given({&options.align.model, &options.align.data, &options.align.out,
                          &options.align.run, &options.align.references, &options.sft.model,
                          &options.sft.data, &options.sft.out, &options.sft.run},
                         "model, data and folders",
                         "model, sources, heldout and out stand beside the sections");
  if (options.sft.chat_template != "auto")
    throw Error(ErrorKind::invalid, "sft.chat_template: all models are measured in one template")
        .with_hint("say it in align.chat_template");
}

}  // namespace

void AlignStudyOptions::describe(Fields& f) {
  f("title", title, "Heading of the tables.");
  f.input("model", model, "Model that every run starts from.");
  f.raw("sources", sources, "Preference pairs by source: {D1: FILE, D2: [FILE, FILE]}.");
  f.input("heldout", heldout, "Preference pairs that none is trained on and all are measured by.");
  f("pairs_per_source", pairs_per_source,
    "Pairs of a source in a run, drawn anew for every seed; 0: all.", at_least(0));
  f("heldout_pairs", heldout_pairs, "Held-out pairs, drawn once; 0: all.", at_least(0));
  f.raw(
      "variants", variants,
      "What is compared: {NAME: {command: align or sft, OPTION: VALUE}}; options are those of the "
      "command, over the sections align and sft.");
  f("baseline", baseline, "The variant that others are compared with, seed by seed.");
  f("seeds", seeds, "Seeds of data and order: each variant runs with every one.");
  f("tasks", tasks, "Evaluation tasks besides (helio eval list): bits_per_byte, hellaswag, ...");
  f.input("dataset", dataset, "Dataset whose held-out documents give bits per byte.");
  f.input("benchmarks", benchmarks, "Folder of benchmark data.");
  f("limit", limit, "Items of each task; 0: all.", at_least(0));
  f("threads", threads, "CPU threads of every run; 0: all cores.", at_least(0));
  f("keep_models", keep_models, "Keep the models of every run, not their figures alone.");
  f.section("align", align, "Options of all alignments.");
  f.section("sft", sft, "Options of all fine-tunings.");
  f.output("out", out, "studies", "Folder of study.json, study.md and runs/.");
}

StudyPlan plan_align_study(const AlignStudyOptions& options, const fs::path& data, Monitor& monitor,
                           const StopRequest& stop) {
  check_sections(options);
  const auto variants = train::read_variants(options.variants, kCommands, kOwn);
  const auto seeds = train::read_seeds(options.seeds);
  make_dirs(data);
  const OrderedJson read = train::write_study_data({.sources = train::read_sources(options.sources),
                                                    .heldout = options.heldout,
                                                    .seeds = seeds,
                                                    .pairs_per_source = options.pairs_per_source,
                                                    .heldout_pairs = options.heldout_pairs},
                                                   data);
  const auto study = std::make_shared<Study>(
      Study{.options = options, .data = data, .monitor = monitor, .stop = stop});
  study->measured = measure_key(*study);
  StudyPlan plan{.title = options.title,
                 .out = options.out,
                 .baseline = options.baseline,
                 .figures = {{"preference", "prefers chosen, per token", 3},
                             {"preference_sum", "prefers chosen, summed", 3},
                             {"reward_accuracy", "reward accuracy", 3},
                             {"reward_margin", "reward margin", 4},
                             {"chosen_per_token", "log p(chosen) per token", 4},
                             {"rejected_per_token", "log p(rejected) per token", 4}}};
  for (const auto& given : options.tasks) {
    const std::string task = given.substr(0, given.find('@'));  // without NAME@SHOTS's shots
    plan.figures.push_back({task, task, 4});
  }
  plan.cells.push_back(
      {.variant = "start",
       .key = sha256_hex("start " + study->measured),
       .run = [study](const fs::path& dir) {
         return OrderedJson{{"figures", figures_of(*study, study->options.model, dir)}};
       }});
  train::check_not_named(variants, "start", "every run starts from");
  for (const int64_t seed : seeds)
    for (const auto& variant : variants)
      plan.cells.push_back(in_context([&] { return "in variant '" + variant.name + "'"; },
                                      [&] {
                                        return variant.command == "sft"
                                                   ? sft_cell(study, variant, seed)
                                                   : align_cell(study, variant, seed);
                                      }));
  AlignStudyOptions shown = options;
  plan.setup = {{"options", options_json(helio::describe(shown))},
                {"start", describe_input("model", options.model).content},
                {"data", read}};
  return plan;
}

}  // namespace helio::engine
