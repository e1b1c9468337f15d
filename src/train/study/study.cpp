#include "train/study/study.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "core/error.h"
#include "core/fs.h"
#include "train/study/statistics.h"

namespace helio::train {
namespace {

constexpr const char* kResult = "result.json";

std::string name_of(const StudyCell& cell) {
  return cell.variant + (cell.seed ? ", seed " + std::to_string(*cell.seed) : "");
}

void check_plan(const StudyPlan& plan) {
  std::set<fs::path> folders;
  bool baseline = plan.baseline.empty();
  for (const auto& cell : plan.cells) {
    baseline = baseline || cell.variant == plan.baseline;
    if (!folders.insert(cell_folder(plan, cell)).second)
      throw Error(ErrorKind::invalid, "the study has '" + name_of(cell) + "' twice");
  }
  if (!baseline)
    throw Error(ErrorKind::invalid, "no variant '" + plan.baseline + "' to compare with")
        .with_hint("baseline names one of the variants");
}

// What a variant's runs say of a figure, by seed; a cell without a seed stands for all of them.
struct Values {
  std::map<int64_t, double> by_seed = {};
  std::optional<double> for_all = {};
  int64_t missing = 0;  // runs that have it as null

  std::vector<double> all() const {
    std::vector<double> values;
    for (const auto& [seed, value] : by_seed) values.push_back(value);
    if (for_all) values.push_back(*for_all);
    return values;
  }
};

// Differences over the seeds that both know.
std::vector<double> paired(const Values& variant, const Values& baseline) {
  std::vector<double> differences;
  if (variant.for_all) {
    for (const auto& [seed, value] : baseline.by_seed)
      differences.push_back(*variant.for_all - value);
    return differences;
  }
  for (const auto& [seed, value] : variant.by_seed) {
    if (const auto other = baseline.by_seed.find(seed); other != baseline.by_seed.end())
      differences.push_back(value - other->second);
    else if (baseline.for_all) differences.push_back(value - *baseline.for_all);
  }
  return differences;
}

std::string number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string cell_text(const OrderedJson& spread, int decimals) {
  if (spread.at("mean").is_null()) return "—";
  std::string text = number(spread.at("mean"), decimals);
  if (!spread.at("low").is_null() && spread.at("low") != spread.at("high"))
    text += " [" + number(spread.at("low"), decimals) + ", " + number(spread.at("high"), decimals) +
            "]";
  const auto missing = spread.value("missing", int64_t(0)), n = spread.at("n").get<int64_t>();
  if (missing > 0) text += " (" + std::to_string(n) + " of " + std::to_string(n + missing) + ")";
  return text;
}

std::string table(const OrderedJson& rows, const OrderedJson& figures) {
  std::string head = "| variant | runs |", rule = "|---|---|", body;
  for (const auto& figure : figures) {
    head += " " + figure.at("heading").get<std::string>() + " |";
    rule += "---|";
  }
  for (const auto& row : rows) {
    body += "| " + row.at("variant").get<std::string>() + " | " +
            std::to_string(row.at("runs").get<int64_t>()) + " |";
    for (const auto& figure : figures)
      body += " " +
              cell_text(row.at("figures").at(figure.at("name").get<std::string>()),
                        figure.at("decimals").get<int>()) +
              " |";
    body += "\n";
  }
  return head + "\n" + rule + "\n" + body;
}

}  // namespace

void check_study_folder(const fs::path& out) {
  if (out.empty())
    throw Error(ErrorKind::usage, "where should the study go?").with_hint("--out FOLDER");
  if (!fs::exists(out)) return;
  if (fs::is_directory(out) && (fs::is_empty(out) || fs::exists(out / "study.json") ||
                                fs::exists(out / "data") || fs::exists(out / "runs")))
    return;
  throw Error(ErrorKind::invalid, "'" + out.string() + "' holds something else than a study")
      .with_hint("choose another --out");
}

fs::path cell_folder(const StudyPlan& plan, const StudyCell& cell) {
  const fs::path variant = plan.out / "runs" / cell.variant;
  return cell.seed ? variant / ("seed-" + std::to_string(*cell.seed)) : variant;
}

std::optional<OrderedJson> finished_cell(const StudyPlan& plan, const StudyCell& cell) {
  const fs::path file = cell_folder(plan, cell) / kResult;
  if (!fs::exists(file)) return {};
  OrderedJson found = OrderedJson::parse(read_file(file), nullptr, false);
  if (!found.is_object() || found.value("key", "") != cell.key ||
      !found.value("figures", OrderedJson()).is_object())
    return {};
  return found;
}

OrderedJson study_json(const StudyPlan& plan) {
  std::vector<std::string> variants;
  std::map<std::string, std::map<std::string, Values>> values;  // variant -> figure
  std::map<std::string, int64_t> runs;
  OrderedJson cells = OrderedJson::array();
  int64_t done = 0;
  for (const auto& cell : plan.cells) {
    if (std::find(variants.begin(), variants.end(), cell.variant) == variants.end())
      variants.push_back(cell.variant);
    const auto result = finished_cell(plan, cell);
    OrderedJson told = {{"variant", cell.variant},
                        {"seed", cell.seed ? OrderedJson(*cell.seed) : OrderedJson(nullptr)},
                        {"key", cell.key},
                        {"finished", result.has_value()}};
    if (result) {
      ++done;
      ++runs[cell.variant];
      told["figures"] = result->at("figures");
      told["facts"] = result->value("facts", OrderedJson::object());
      for (const auto& figure : plan.figures) {
        Values& known = values[cell.variant][figure.name];
        const OrderedJson value = result->at("figures").value(figure.name, OrderedJson());
        if (!value.is_number()) ++known.missing;
        else if (cell.seed) known.by_seed[*cell.seed] = value.get<double>();
        else known.for_all = value.get<double>();
      }
    }
    cells.push_back(std::move(told));
  }
  OrderedJson figures = OrderedJson::array(), rows = OrderedJson::array(),
              differences = OrderedJson::array();
  for (const auto& figure : plan.figures)
    figures.push_back(
        {{"name", figure.name}, {"heading", figure.heading}, {"decimals", figure.decimals}});
  for (const auto& variant : variants) {
    OrderedJson means = OrderedJson::object(), against = OrderedJson::object();
    int64_t pairs = 0;
    for (const auto& figure : plan.figures) {
      const Values& own = values[variant][figure.name];
      means[figure.name] = spread_of(own.all()).json();
      if (own.missing > 0) means[figure.name]["missing"] = own.missing;
      const auto difference = spread_of(paired(own, values[plan.baseline][figure.name]));
      against[figure.name] = difference.json();
      pairs = std::max(pairs, difference.n);
    }
    rows.push_back({{"variant", variant}, {"runs", runs[variant]}, {"figures", means}});
    if (!plan.baseline.empty() && variant != plan.baseline)
      differences.push_back({{"variant", variant}, {"runs", pairs}, {"figures", against}});
  }
  return {{"format", 1},
          {"title", plan.title},
          {"baseline", plan.baseline},
          {"complete", done == static_cast<int64_t>(plan.cells.size())},
          {"runs_done", done},
          {"runs_planned", plan.cells.size()},
          {"figures", figures},
          {"variants", rows},
          {"differences", differences},
          {"runs", cells},
          {"setup", plan.setup}};
}

std::string study_table(const OrderedJson& study) {
  const auto done = study.at("runs_done").get<int64_t>(),
             planned = study.at("runs_planned").get<int64_t>();
  std::string text = "# " + study.at("title").get<std::string>() + "\n\n" +
                     "Mean over seeds with Student's 95 % interval; " + std::to_string(done) +
                     " of " + std::to_string(planned) + " runs are done.\n\n" +
                     table(study.at("variants"), study.at("figures"));
  if (!study.at("differences").empty())
    text += "\n## Differences from " + study.at("baseline").get<std::string>() +
            ", seed by seed\n\n" + table(study.at("differences"), study.at("figures"));
  return text;
}

OrderedJson study_costs(const StudyPlan& plan) {
  check_plan(plan);
  OrderedJson runs = OrderedJson::array();
  double seconds = 0;
  for (const auto& cell : plan.cells) {
    const bool finished = finished_cell(plan, cell).has_value();
    OrderedJson row = {{"variant", cell.variant},
                       {"seed", cell.seed ? OrderedJson(*cell.seed) : OrderedJson(nullptr)},
                       {"key", cell.key},
                       {"finished", finished}};
    if (cell.cost) row.update(cell.cost());
    if (!finished) seconds += row.value("seconds", 0.0);
    runs.push_back(std::move(row));
  }
  return {{"title", plan.title}, {"out", plan.out.string()}, {"runs", runs}, {"seconds", seconds}};
}

OrderedJson run_study(const StudyPlan& plan, Monitor& monitor, const StopRequest& stop) {
  check_plan(plan);
  const auto write = [&] {
    OrderedJson study = study_json(plan);
    write_file_atomic(plan.out / "study.json", pretty(study));
    write_file_atomic(plan.out / "study.md", study_table(study));
    return study;
  };
  OrderedJson study = write();
  size_t number = 0;
  for (const auto& cell : plan.cells) {
    const std::string place =
        "[" + std::to_string(++number) + "/" + std::to_string(plan.cells.size()) + "] ";
    if (finished_cell(plan, cell)) {
      monitor.note(place + name_of(cell) + ": done before");
      continue;
    }
    stop.check();
    monitor.note(place + name_of(cell));
    const fs::path dir = cell_folder(plan, cell);
    OrderedJson result =
        in_context([&] { return "in the run of " + name_of(cell); }, [&] { return cell.run(dir); });
    OrderedJson record = {{"key", cell.key}};
    record.update(result);
    write_file_atomic(dir / kResult, pretty(record));
    study = write();
  }
  return study;
}

}  // namespace helio::train
