#include "eval/results.h"

#include "eval/statistics.h"

namespace helio::eval {
namespace {

bool is_ratio(const TaskSpec& spec) { return spec.mode == "bits_per_byte"; }

// The chance level as the task's items give it, or nothing.
OrderedJson chance_of(const Task& task) {
  if (task.settings().contains("chance")) return task.settings().at("chance");
  return task.spec().chance > 0 ? OrderedJson(task.spec().chance) : OrderedJson();
}

Estimate estimate(const TaskSpec& spec, const std::vector<Judged::Value>& values) {
  if (is_ratio(spec)) return ratio(values);
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

std::vector<Judged::Value> values_of(const ScoredTask& scored, int64_t begin, int64_t end,
                                     size_t metric) {
  std::vector<Judged::Value> out;
  for (int64_t i = begin; i < end; ++i)
    if (scored.asked[static_cast<size_t>(i)])
      out.push_back(scored.items[static_cast<size_t>(i)].metrics[metric]);
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
  out["metrics"] = OrderedJson::object();
  OrderedJson parts = OrderedJson::array();
  for (const Part& part : task.parts()) {
    if (part.name.empty()) continue;
    OrderedJson shown = {{"name", part.name}, {"status", part.not_run.empty() ? "ok" : "not_run"}};
    if (!part.not_run.empty()) shown["reason"] = part.not_run;
    shown["n"] = values_of(scored, part.begin, part.end, 0).size();
    shown["total"] = part.total;
    shown["metrics"] = OrderedJson::object();
    parts.push_back(std::move(shown));
  }
  for (size_t m = 0; m < spec.metrics.size(); ++m) {
    std::vector<Estimate> each;
    for (size_t p = 0; p < parts.size(); ++p) {
      const Part& part = task.parts()[p];
      each.push_back(estimate(spec, values_of(scored, part.begin, part.end, m)));
      if (each.back().n) parts[p]["metrics"][spec.metrics[m]] = json(each.back());
    }
    const Estimate whole = each.size() > 1 && !is_ratio(spec)
                               ? pooled(each)
                               : estimate(spec, values_of(scored, 0, task.items(), m));
    out["metrics"][spec.metrics[m]] = json(whole);
    if (spec.metrics[m] == spec.main_metric) {
      const OrderedJson chance = chance_of(task);
      out["at_chance"] =
          chance.is_null() ? OrderedJson() : OrderedJson(at_chance(whole, chance.get<double>()));
    }
  }
  if (!parts.empty()) out["parts"] = std::move(parts);
  return out;
}

}  // namespace helio::eval
