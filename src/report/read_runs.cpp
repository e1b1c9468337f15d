#include <algorithm>
#include <cmath>

#include "core/lines.h"
#include "report/readers.h"

namespace helio::report {
namespace {

std::string head_of(const std::string& given) { return given.substr(0, given.find('/')); }

std::string written_text(const StageInfo& stage, const char* key) {
  return Record(stage.written, "options of stage " + stage.name).text(key);
}

void read_metrics(const fs::path& folder, Run& run) {
  const fs::path file = folder / "metrics.jsonl";
  if (!fs::exists(file)) return;
  read_jsonl(file, [&](const Json& row, int64_t line) {
    const Record record(row, file.string() + ":" + std::to_string(line));
    const auto step = record.number("step");
    if (!step) record.damaged("step", "a number");
    const auto add = [&](Samples& samples, const char* key) {
      if (const auto value = record.number(key)) samples.push_back({*step, *value});
    };
    add(run.loss, "loss");
    add(run.lr, "learning_rate");
    add(run.heldout, "eval/loss");
    add(run.margins, "rewards/margins");
    add(run.accuracies, "rewards/accuracies");
    // Before the first step the model is its own reference: every margin is 0, a tie, no
    // preference.
    if (*step > 0) add(run.heldout_accuracies, "eval/rewards/accuracies");
    if (const auto tokens = record.count("num_tokens")) run.tokens = tokens;
  });
}

bool is_run(const StageInfo& stage) { return stage.kind == "pretrain" || stage.kind == "sft"; }

Run read_run(const Report& report, const StageInfo& stage) {
  Run run{.stage = stage.name, .kind = stage.kind};
  const StageInfo* before =
      report.find(head_of(written_text(stage, stage.kind == "sft" ? "model" : "init")));
  if (before && before->kind == "upscale") {
    run.upscaled = true;
    before = report.find(head_of(written_text(*before, "model")));
  }
  if (before) run.after = before->name;
  read_metrics(stage.run, run);
  return run;
}

std::vector<int64_t> numbers_at(const Record& record, const char* key) {
  std::vector<int64_t> numbers;
  if (!record.has(key)) return numbers;
  const Json& list = record.json().at(key);
  if (!list.is_array()) record.damaged(key, "a list of numbers");
  for (const Json& one : list) {
    if (!one.is_number_integer()) record.damaged(key, "a list of numbers");
    numbers.push_back(one.get<int64_t>());
  }
  return numbers;
}

Number last_value(const Samples& samples) {
  return samples.empty() ? Number() : Number(samples.back().value);
}

Upscaling read_upscaling(const Report& report, const StageInfo& stage) {
  Upscaling up{.stage = stage.name};
  if (stage.manifest) {
    const Json json = stage.manifest->facts;
    const Record facts(json, (stage.out / kManifestName).string() + ": facts");
    up.base_layers = facts.count("base_layers").value_or(0);
    up.drop = facts.count("drop").value_or(0);
    up.seam = facts.count("seam").value_or(0);
    up.layer_map = numbers_at(facts, "layer_map");
    up.layer_copy = numbers_at(facts, "layer_copy");
    up.identity = numbers_at(facts, "identity_layers");
    up.base_parameters = facts.count("base_parameters");
    up.parameters = facts.count("parameters");
    if (up.base_layers < 0 || up.base_layers > 4096 || up.layer_map.size() > 8192 ||
        up.layer_copy.size() != up.layer_map.size())
      facts.damaged("layer_map", "a source layer for each new layer");
    for (const int64_t layer : up.layer_map)
      if (layer < 0 || layer >= up.base_layers)
        facts.damaged("layer_map", "layers of the base model");
  }
  const StageInfo* base = report.find(head_of(written_text(stage, "model")));
  if (base) up.base = base->name;
  for (const StageInfo& next : report.stages)
    if (up.recovered.empty() && next.kind == "pretrain" &&
        head_of(written_text(next, "init")) == stage.name)
      up.recovered = next.name;
  if (const Run* run = report.run_of(up.base)) up.base_loss = last_value(run->heldout);
  if (const Run* run = report.run_of(up.recovered)) {
    // Before its first step the continued run measures the model as up-scaling left it.
    if (!run->heldout.empty() && run->heldout.front().step == 0)
      up.after_loss = run->heldout.front().value;
    if (!run->heldout.empty() && run->heldout.back().step > 0)
      up.recovered_loss = run->heldout.back().value;
  }
  return up;
}

AlignStep read_step(const StageInfo& stage, int64_t number) {
  const std::string before = number == 1 ? written_text(stage, "model")
                                         : stage.name + "/step-" + std::to_string(number - 1);
  const std::string first_reference = written_text(stage, "reference");
  AlignStep step{.number = number,
                 .start = before,
                 .reference = number == 1 && !first_reference.empty() ? first_reference : before};
  const std::string folder = "step-" + std::to_string(number);
  step.run = {.stage = stage.name + "/" + folder, .kind = stage.kind, .after = before};
  read_metrics(stage.run / folder, step.run);
  if (has_manifest(stage.out / folder)) {
    const Json json = load_manifest(stage.out / folder).facts;
    const Record facts(json, (stage.out / folder / kManifestName).string() + ": facts");
    step.pairs = facts.count("pairs");
    step.heldout_pairs = facts.count("heldout_pairs");
    step.heldout_accuracy = facts.number("heldout_accuracy");
    const std::string reference = facts.text("reference");
    if (!reference.empty()) step.reference = reference;
    step.margin_before = facts.below("chunk").below("rewards_before").number("margin");
    step.margin_after = facts.below("chunk").below("rewards_after").number("margin");
    const Record heldout = facts.below("heldout");
    step.heldout_margin = heldout.below("rewards_after").number("margin");
    step.preference_before = heldout.below("preference_before").number("share");
    step.preference = heldout.below("preference_after").number("share");
  }
  if (!step.heldout_accuracy) step.heldout_accuracy = last_value(step.run.heldout_accuracies);
  const auto interval = [&](const Number& share) -> std::optional<Interval> {
    if (!share || !step.heldout_pairs || *step.heldout_pairs <= 0) return std::nullopt;
    return wilson(*share, static_cast<double>(*step.heldout_pairs));
  };
  step.interval = interval(step.heldout_accuracy);
  step.preference_interval = interval(step.preference);
  return step;
}

Alignment read_alignment(const StageInfo& stage) {
  const Record options(stage.written, "options of stage " + stage.name);
  Alignment align{.stage = stage.name,
                  .loss = options.text("loss"),
                  .order = options.text("order"),
                  .beta = options.number("beta")};
  const int64_t steps = std::clamp<int64_t>(options.count("steps").value_or(1), 1, 64);
  for (int64_t number = 1; number <= steps; ++number)
    align.steps.push_back(read_step(stage, number));
  return align;
}

}  // namespace

Interval wilson(double share, double n) {
  constexpr double z = 1.959963984540054;
  const double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
  const double half =
      z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return {.low = std::max(0.0, middle - half), .high = std::min(1.0, middle + half)};
}

void read_training(Report& report) {
  for (const StageInfo& stage : report.stages)
    if (is_run(stage)) report.runs.push_back(read_run(report, stage));
  for (const StageInfo& stage : report.stages) {
    if (stage.kind == "upscale") report.upscalings.push_back(read_upscaling(report, stage));
    if (stage.kind == "align") report.alignments.push_back(read_alignment(stage));
  }
}

}  // namespace helio::report
