// Results as a table for a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "eval/run.h"
#include "text/utf8.h"

namespace helio::eval {
namespace {

std::string cell(const OrderedJson& result, const OrderedJson& task) {
  if (result.at("status") == "planned") return "planned";
  if (result.at("status") != "ok") return "—";
  const auto& metric = result.at("metrics").at(task.at("main_metric").get<std::string>());
  std::string out = fmt::format("{:.4f}", metric.at("value").get<double>());
  if (metric.at("stderr").is_number())
    out += fmt::format(" ±{:.4f}", metric.at("stderr").get<double>());
  if (result.at("at_chance").is_boolean() && result.at("at_chance").get<bool>()) out += " ≈";
  return out;
}

// The first of the group's metrics; what ran of it where some tasks did not.
std::string group_cell(const OrderedJson& group) {
  const auto& metric = group.at("metrics").front();
  if (metric.is_null())
    return fmt::format("— ({} of {})", group.at("members_run").get<int64_t>(),
                       group.at("members").size());
  std::string out = fmt::format("{:.4f}", metric.at("value").get<double>());
  if (metric.at("stderr").is_number())
    out += fmt::format(" ±{:.4f}", metric.at("stderr").get<double>());
  return out;
}

std::string padded(const std::string& text, size_t width) {
  const auto length = static_cast<size_t>(text::count_code_points(text));
  return text + std::string(width > length ? width - length : 0, ' ');
}

}  // namespace

std::string results_table(const OrderedJson& results) {
  std::vector<std::vector<std::string>> rows(1);
  rows[0].push_back("model");
  for (const auto& task : results.at("tasks")) rows[0].push_back(task.at("name"));
  std::vector<std::string> second = {""};
  for (const auto& task : results.at("tasks")) {
    const auto items = task.at("items").get<int64_t>(), total = task.at("total").get<int64_t>();
    second.push_back(
        task.at("main_metric").get<std::string>() +
        (items < total ? fmt::format(", {} of {}", items, total) : fmt::format(", {}", items)));
  }
  const auto groups = results.value("groups", OrderedJson::array());
  for (const auto& group : groups) {
    if (group.at("model") != results.at("models")[0].at("name")) continue;
    rows[0].push_back(group.at("group"));
    second.push_back(fmt::format("mean of {}", group.at("members").size()));
  }
  rows.push_back(second);
  for (const auto& model : results.at("models")) {
    rows.push_back({model.at("name")});
    for (const auto& task : results.at("tasks"))
      for (const auto& result : results.at("results"))
        if (result.at("model") == model.at("name") && result.at("task") == task.at("name"))
          rows.back().push_back(cell(result, task));
    for (const auto& group : groups)
      if (group.at("model") == model.at("name")) rows.back().push_back(group_cell(group));
  }
  std::string out;
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], static_cast<size_t>(text::count_code_points(row[c])));
  bool chance = false;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) line += padded(row[c], widths[c] + 2);
    line.resize(line.find_last_not_of(' ') + 1);
    out += line + "\n";
    chance = chance || line.find("≈") != std::string::npos;
  }
  if (chance) out += "≈ no further than two standard errors from a guess\n";
  for (const auto& result : results.at("results"))
    if (const auto& status = result.at("status");
        status != "ok" && status != "planned" &&
        (status != "not_run" || result.at("model") == results.at("models")[0].at("name")))
      out += fmt::format("— {}: {}\n", result.at("task").get<std::string>(),
                         result.at("reason").get<std::string>());
  return out;
}

}  // namespace helio::eval
