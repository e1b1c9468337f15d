#include "eval/results.h"

#include <algorithm>

#include "eval/statistics.h"

namespace helio::eval {
namespace {

// Choices closer than this may change places with the order of a sum: another batch size, another
// library.
constexpr double kFragile = 1e-3;

bool is_ratio(const TaskSpec& spec) { return spec.mode == "bits_per_byte"; }
// Is the whole's figure made from its parts'? In conversations items weigh differently, or nothing.
bool pools_parts(const TaskSpec& spec) { return !is_ratio(spec) && spec.mode != "conversation"; }

// The chance level as the task's items give it, or nothing.
OrderedJson chance_of(const Task& task) {
  if (task.settings().contains("chance")) return task.settings().at("chance");
  return task.spec().chance > 0 ? OrderedJson(task.spec().chance) : OrderedJson();
}

Estimate estimate(const TaskSpec& spec, const std::vector<Judged::Value>& values) {
  const bool alike = std::all_of(values.begin(), values.end(),
                                 [](const auto& value) { return value.weight == 1; });
  if (is_ratio(spec) || !alike) return ratio(values);
  std::vector<double> plain;
  double sum = 0;
  for (const auto& value : values) {
    plain.push_back(value.value);
    sum += value.value;
  }
  if (spec.mode == "preference")
    return proportion(static_cast<int64_t>(sum), static_cast<int64_t>(plain.size()));
  return mean(plain);
}

// Of the items [begin, end) that were asked.
Estimate estimate_of(const Task& task, const ScoredTask& scored, int64_t begin, int64_t end,
                     size_t metric) {
  std::vector<Judged::Value> values;
  std::vector<std::pair<int64_t, int64_t>> choices;
  for (int64_t i = begin; i < end; ++i) {
    if (!scored.asked[static_cast<size_t>(i)]) continue;
    const Judged& item = scored.items[static_cast<size_t>(i)];
    if (item.metrics[metric].weight > 0) values.push_back(item.metrics[metric]);
    choices.emplace_back(item.gold, item.predicted);
  }
  return task.spec().metrics[metric] == "f1" ? macro_f1(choices) : estimate(task.spec(), values);
}

// Parts by their group, in the order of TaskSpec::part_groups.
std::vector<std::pair<std::string, std::vector<size_t>>> groups_of(const Task& task) {
  std::vector<std::pair<std::string, std::vector<size_t>>> out;
  for (const auto& group : task.spec().part_groups) {
    out.push_back({group.substr(0, group.find(':')), {}});
    for (size_t p = 0; p < task.parts().size(); ++p)
      if (task.parts()[p].group == out.back().first) out.back().second.push_back(p);
  }
  return out;
}

}  // namespace

OrderedJson task_json(const Task& task) {
  const TaskSpec& spec = task.spec();
  OrderedJson out = {{"name", spec.name}, {"about", spec.about}, {"mode", spec.mode}};
  if (spec.reproduces.protocol.empty()) out["reproduces"] = nullptr;
  else
    out["reproduces"] = {{"protocol", spec.reproduces.protocol},
                         {"version", spec.reproduces.version},
                         {"task", spec.reproduces.task}};
  out["metrics"] = spec.metrics;
  out["main_metric"] = spec.main_metric;
  out["higher_is_better"] = !is_ratio(spec);
  out["chance"] = chance_of(task);
  out["items"] = task.items();
  out["total"] = task.total();
  out["settings"] = task.settings();
  return out;
}

OrderedJson unscored_json(const Task& task, const std::string& model, const std::string& status,
                          const std::string& reason) {
  OrderedJson out = {{"model", model}, {"task", task.spec().name}, {"status", status}};
  if (!reason.empty()) out["reason"] = reason;
  out["n"] = 0;
  out["total"] = task.total();
  return out;
}

OrderedJson result_json(const Task& task, const ScoredTask& scored, const std::string& model) {
  const TaskSpec& spec = task.spec();
  const int64_t asked = task.items() - scored.unscorable;
  if (asked == 0)
    return unscored_json(task, model, "not_run",
                         "none of its " + std::to_string(task.items()) + " items fits this model");
  OrderedJson out = {{"model", model},
                     {"task", spec.name},
                     {"status", "ok"},
                     {"n", asked},
                     {"total", task.total()}};
  out["unscorable"] = scored.unscorable;
  int64_t fragile = 0, with_margin = 0;
  for (const Judged& item : scored.items)
    if (item.margin) {
      ++with_margin;
      fragile += *item.margin < kFragile;
    }
  if (with_margin) out["fragile"] = fragile;
  out["metrics"] = OrderedJson::object();
  OrderedJson parts = OrderedJson::array(), groups = OrderedJson::array();
  for (const Part& part : task.parts()) {
    if (part.name.empty()) continue;
    OrderedJson shown = {{"name", part.name}, {"status", part.not_run.empty() ? "ok" : "not_run"}};
    if (!part.not_run.empty()) shown["reason"] = part.not_run;
    shown["n"] = std::count(scored.asked.begin() + part.begin, scored.asked.begin() + part.end, 1);
    shown["total"] = part.total;
    shown["metrics"] = OrderedJson::object();
    parts.push_back(std::move(shown));
  }
  const auto grouped = groups_of(task);
  for (const auto& [name, members] : grouped)
    groups.push_back({{"name", name}, {"n", 0}, {"metrics", OrderedJson::object()}});
  for (size_t m = 0; m < spec.metrics.size(); ++m) {
    const auto& metric = spec.metrics[m];
    std::vector<Estimate> each, over_groups;
    for (size_t p = 0; p < parts.size(); ++p) {
      const Part& part = task.parts()[p];
      each.push_back(estimate_of(task, scored, part.begin, part.end, m));
      if (each.back().n) parts[p]["metrics"][metric] = json(each.back());
    }
    for (size_t g = 0; g < grouped.size(); ++g) {
      std::vector<Estimate> of_group;
      for (const size_t p : grouped[g].second) of_group.push_back(each[p]);
      over_groups.push_back(pooled(of_group));
      groups[g]["n"] = over_groups.back().n;
      if (over_groups.back().n) groups[g]["metrics"][metric] = json(over_groups.back());
    }
    const bool by_group = !over_groups.empty() && task.profile().errors == GroupErrors::over_groups;
    const Estimate whole = each.size() > 1 && pools_parts(spec)
                               ? pooled(by_group ? over_groups : each)
                               : estimate_of(task, scored, 0, task.items(), m);
    out["metrics"][metric] = json(whole);
    if (metric == spec.main_metric) {
      const OrderedJson chance = chance_of(task);
      out["at_chance"] =
          chance.is_null() ? OrderedJson() : OrderedJson(at_chance(whole, chance.get<double>()));
    }
  }
  if (!groups.empty()) out["groups"] = std::move(groups);
  if (!parts.empty()) out["parts"] = std::move(parts);
  std::vector<const Judged*> judged;
  for (size_t i = 0; i < scored.items.size(); ++i)
    if (scored.asked[i]) judged.push_back(&scored.items[i]);
  task.complete(judged, out);
  return out;
}

namespace {

Estimate read_estimate(const OrderedJson& metric, int64_t n) {
  Estimate out{.value = metric.at("value").get<double>(), .n = n};
  if (metric.at("stderr").is_number()) out.stderr_ = metric.at("stderr").get<double>();
  return out;
}

const OrderedJson* find_result(const OrderedJson& results, const std::string& model,
                               const std::string& task) {
  for (const auto& result : results)
    if (result.at("model") == model && result.at("task") == task) return &result;
  return nullptr;
}

}  // namespace

OrderedJson group_json(const SelectedGroup& group, const OrderedJson& tasks,
                       const OrderedJson& results, const std::string& model) {
  OrderedJson out = {{"model", model}, {"group", group.spec.name}, {"weights", group.spec.weights}};
  out["members"] = group.members;
  int64_t whole = 0;
  for (const auto& member : group.members)
    if (const auto* result = find_result(results, model, member))
      whole += result->at("status") == "ok";
  out["members_run"] = whole;
  out["metrics"] = OrderedJson::object();
  for (const auto& metric : group.spec.metrics) {
    std::vector<Estimate> each;
    bool complete = true;
    for (const auto& member : group.members) {
      std::string name = metric;
      bool has = true;
      for (const auto& task : tasks)
        if (task.at("name") == member) {
          if (metric == "main") name = task.at("main_metric");
          const auto& its = task.at("metrics");
          has = std::find(its.begin(), its.end(), name) != its.end();
        }
      if (!has) continue;
      const auto* result = find_result(results, model, member);
      if (!result || result->at("status") != "ok") complete = false;
      else
        each.push_back(
            read_estimate(result->at("metrics").at(name), result->at("n").get<int64_t>()));
    }
    // A mean of what happened to run would be another number under the same name.
    out["metrics"][metric] =
        !complete || each.empty()
            ? OrderedJson()
            : json(group.spec.weights == "equal" ? mean_of(each) : pooled(each));
  }
  return out;
}

}  // namespace helio::eval
