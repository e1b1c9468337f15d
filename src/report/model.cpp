#include "report/model.h"

#include <algorithm>

#include "core/error.h"
#include "core/version.h"
#include "report/format.h"
#include "report/readers.h"

namespace helio::report {
namespace {

template <class T>
OrderedJson or_null(const std::optional<T>& value) {
  return value ? OrderedJson(*value) : OrderedJson();
}

// The machine as the first training run saw it.
std::string machine_of(const Report& report) {
  for (const StageInfo& stage : report.stages)
    for (const fs::path& folder : {stage.run, stage.run / "step-1"}) {
      const fs::path file = folder / "env.json";
      if (stage.run.empty() || !fs::exists(file)) continue;
      const Json json = load_object(file);
      const Record env(json, file.string());
      std::string line = env.text("cpu");
      const auto add = [&](const std::string& part) {
        if (!part.empty()) line += (line.empty() ? "" : " · ") + part;
      };
      if (const auto threads = env.count("threads")) add(std::to_string(*threads) + " threads");
      if (const auto memory = env.number("memory")) add(bytes_text(*memory));
      add(env.text("system"));
      if (!line.empty()) return line;
    }
  return {};
}

OrderedJson counts_json(const Counts& counts) {
  OrderedJson out = OrderedJson::object();
  for (const auto& [name, count] : counts) out[name] = count;
  return out;
}

OrderedJson score_json(const std::string& model, const Task& task, const Score& score) {
  OrderedJson row = {{"model", model},
                     {"task", task.name},
                     {"value", or_null(score.value)},
                     {"stderr", or_null(score.stderr_of)},
                     {"interval", nullptr},
                     {"items", or_null(score.items)},
                     {"of", or_null(score.of)},
                     {"at_chance", score.at_chance}};
  if (score.interval) row["interval"] = {score.interval->low, score.interval->high};
  if (!score.reason.empty()) row["reason"] = score.reason;
  return row;
}

OrderedJson dataset_json(const Dataset& data) {
  OrderedJson steps = OrderedJson::array();
  for (const DataStep& step : data.steps)
    steps.push_back({{"step", step.name},
                     {"in", or_null(step.in)},
                     {"out", or_null(step.out)},
                     {"reasons", counts_json(step.reasons)}});
  return {{"stage", data.stage},
          {"documents_in", or_null(data.documents_in)},
          {"documents_out", or_null(data.documents_out)},
          {"steps", steps},
          {"languages", counts_json(data.languages)},
          {"pii", counts_json(data.pii)},
          {"duplicate_clusters", or_null(data.duplicate_clusters)}};
}

OrderedJson alignment_json(const Alignment& align) {
  OrderedJson out = {{"stage", align.stage}, {"steps", OrderedJson::array()}};
  for (const AlignStep& step : align.steps) {
    OrderedJson row = {{"step", step.number},
                       {"start", step.start},
                       {"reference", step.reference},
                       {"margin_first", nullptr},
                       {"margin_last", nullptr},
                       {"heldout_accuracy", or_null(step.heldout_accuracy)},
                       {"interval", nullptr},
                       {"heldout_pairs", or_null(step.heldout_pairs)},
                       {"pairs_margin_before", or_null(step.margin_before)},
                       {"pairs_margin_after", or_null(step.margin_after)},
                       {"heldout_margin", or_null(step.heldout_margin)},
                       {"preference_before", or_null(step.preference_before)},
                       {"preference", or_null(step.preference)},
                       {"preference_interval", nullptr}};
    if (!step.run.margins.empty()) {
      row["margin_first"] = step.run.margins.front().value;
      row["margin_last"] = step.run.margins.back().value;
    }
    if (step.interval) row["interval"] = {step.interval->low, step.interval->high};
    if (step.preference_interval)
      row["preference_interval"] = {step.preference_interval->low, step.preference_interval->high};
    out["steps"].push_back(std::move(row));
  }
  return out;
}

OrderedJson statement_json(const Statement& statement) {
  OrderedJson out = {{"stage", statement.stage},
                     {"pool", or_null(statement.pool)},
                     {"currency", statement.currency},
                     {"adds_up", statement.adds_up},
                     {"partners", OrderedJson::array()}};
  for (const PartnerRow& row : statement.partners)
    out["partners"].push_back({{"partner", row.partner},
                               {"trained", or_null(row.trained)},
                               {"share", or_null(row.share)},
                               {"amount", or_null(row.amount)}});
  return out;
}

}  // namespace

const StageInfo* Report::find(std::string_view stage) const {
  for (const StageInfo& one : stages)
    if (one.name == stage) return &one;
  return nullptr;
}

const Run* Report::run_of(std::string_view stage) const {
  for (const Run& run : runs)
    if (run.stage == stage) return &run;
  return nullptr;
}

Report read_report(const ReadOptions& options) {
  if (!fs::is_directory(options.workspace))
    throw Error(ErrorKind::not_found, "no workspace '" + options.workspace.string() + "'")
        .with_hint("run a recipe first:  helio run recipes/solar-mini.yaml");
  Report report;
  report.version = version();
  read_stages(options, report);
  for (const StageInfo& stage : report.stages) {
    if (stage.seconds) report.seconds = report.seconds.value_or(0) + *stage.seconds;
    if (stage.kind == "data run") report.datasets.push_back(read_dataset(stage));
    if (stage.kind == "eval run") report.evaluations.push_back(read_evaluation(stage));
    if (stage.kind == "club statement") report.statements.push_back(read_statement(stage));
  }
  read_training(report);
  report.artefacts = read_artefacts(options.workspace);
  report.machine = machine_of(report);
  if (report.title.empty()) {
    const fs::path whole = fs::absolute(options.workspace).lexically_normal();
    report.title = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
  }
  return report;
}

OrderedJson figures(const Report& report) {
  OrderedJson out = {{"format", 1},
                     {"title", report.title},
                     {"stages", OrderedJson::array()},
                     {"datasets", OrderedJson::array()},
                     {"runs", OrderedJson::array()},
                     {"upscalings", OrderedJson::array()},
                     {"alignments", OrderedJson::array()},
                     {"scores", OrderedJson::array()},
                     {"statements", OrderedJson::array()}};
  for (const StageInfo& stage : report.stages)
    out["stages"].push_back(
        {{"name", stage.name}, {"kind", stage.kind}, {"content", stage.content}});
  for (const Dataset& data : report.datasets) out["datasets"].push_back(dataset_json(data));
  for (const Run& run : report.runs) {
    OrderedJson row = {{"stage", run.stage},           {"steps", nullptr},
                       {"loss_first", nullptr},        {"loss_last", nullptr},
                       {"heldout_first", nullptr},     {"heldout_last", nullptr},
                       {"tokens", or_null(run.tokens)}};
    if (!run.loss.empty()) {
      row["steps"] = static_cast<int64_t>(run.loss.back().step);
      row["loss_first"] = run.loss.front().value;
      row["loss_last"] = run.loss.back().value;
    }
    if (!run.heldout.empty()) {
      row["heldout_first"] = run.heldout.front().value;
      row["heldout_last"] = run.heldout.back().value;
    }
    out["runs"].push_back(std::move(row));
  }
  for (const Upscaling& up : report.upscalings)
    out["upscalings"].push_back({{"stage", up.stage},
                                 {"base", up.base},
                                 {"base_layers", up.base_layers},
                                 {"drop", up.drop},
                                 {"layers", up.layer_map.size()},
                                 {"parameters", or_null(up.parameters)},
                                 {"loss_base", or_null(up.base_loss)},
                                 {"loss_upscaled", or_null(up.after_loss)},
                                 {"loss_recovered", or_null(up.recovered_loss)}});
  for (const Alignment& align : report.alignments)
    out["alignments"].push_back(alignment_json(align));
  for (const Evaluation& evaluation : report.evaluations)
    for (const Task& task : evaluation.tasks)
      for (size_t i = 0; i < evaluation.models.size(); ++i)
        out["scores"].push_back(score_json(evaluation.models[i], task, task.scores[i]));
  for (const Statement& statement : report.statements)
    out["statements"].push_back(statement_json(statement));
  return out;
}

}  // namespace helio::report
