#include "eval/compare.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "eval/python_random.h"

namespace helio::eval {
namespace {

// P(at most k heads in n throws of a fair coin), doubled.
double sign_test(size_t only_a, size_t only_b) {
  const auto n = static_cast<double>(only_a + only_b);
  const size_t fewer = std::min(only_a, only_b);
  double tail = 0;
  for (size_t k = 0; k <= fewer; ++k) {
    const auto heads = static_cast<double>(k);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(heads + 1) - std::lgamma(n - heads + 1) -
                     n * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

// An item in the main metric, and the right choice where that is recorded.
struct Item {
  double value = 0, weight = 1;
  Json gold = nullptr;
};

// The item's value under the first of the keys it has; nothing for an answer that could not be
// read: it is in no mean.
std::optional<double> value_of(const Json& row, const std::string& metric,
                               const std::string& where) {
  for (const char* key :
       {"true_share", "score", metric == "acc_norm" ? "correct_norm" : "correct"}) {
    const auto found = row.find(key);
    if (found == row.end()) continue;
    if (found->is_null()) return std::nullopt;
    if (found->is_boolean()) return found->get<bool>() ? 1 : 0;
    if (found->is_number()) return found->get<double>();
  }
  throw Error(ErrorKind::invalid, where + ": no verdict on the item in '" + metric + "'");
}

bool imported(const Json& task) {
  return task.at("settings").is_object() && task.at("settings").contains("imported");
}

struct Evaluation {
  Compared where = {};
  Json results = {};

  explicit Evaluation(Compared compared) : where(std::move(compared)) {
    const fs::path file = where.folder / "results.json";
    if (!fs::exists(file))
      throw Error(ErrorKind::not_found, "no evaluation in '" + where.folder.string() + "'")
          .with_hint("name the folder that `helio eval run --out` wrote");
    results = load_json(file);
    std::string names;
    bool found = false;
    for (const Json& model : results.at("models")) {
      const std::string name = model.at("name");
      names += (names.empty() ? "" : ", ") + name;
      found = found || name == where.model;
    }
    if (where.model.empty() && results.at("models").size() == 1) where.model = names;
    else if (!found)
      throw Error(ErrorKind::usage, where.model.empty()
                                        ? "which model of '" + where.folder.string() + "'?"
                                        : "no model '" + where.model + "' there")
          .with_hint("it has " + names);
  }

  const Json* task(const std::string& name) const {
    for (const Json& task : results.at("tasks"))
      if (task.at("name") == name) return &task;
    return nullptr;
  }
  const Json* result(const std::string& task) const {
    for (const Json& result : results.at("results"))
      if (result.at("task") == task && result.at("model") == where.model) return &result;
    return nullptr;
  }

  // By doc.
  std::map<std::string, Item> items(const Json& task) const {
    std::string model = where.model;
    std::replace(model.begin(), model.end(), '/', '.');
    const fs::path file =
        where.folder / "samples" / (task.at("name").get<std::string>() + "." + model + ".jsonl");
    const std::string metric = task.at("main_metric");
    std::map<std::string, Item> out;
    read_jsonl(file, [&](const Json& row, int64_t line) {
      if (row.value("unscorable", false)) return;
      Item item{.gold = row.value("gold", Json())};
      if (metric == "bits_per_byte") {
        item.value = row.at("bits");
        item.weight = row.at("bytes");
      } else {
        const auto value = value_of(row, metric, file.string() + ":" + std::to_string(line));
        if (!value) return;
        item.value = *value;
      }
      out.emplace(row.at("doc"), item);
    });
    return out;
  }
};

// Why the two cannot be compared on a task, or empty.
std::string refusal(const Evaluation& a, const Evaluation& b, const std::string& name) {
  for (const Evaluation* each : {&a, &b}) {
    const Json* result = each->result(name);
    if (!result) return "only one of the two has it";
    if (result->at("status") != "ok")
      return each->where.model + ": " + result->value("reason", "not run");
  }
  const Json &one = *a.task(name), &other = *b.task(name);
  // What is imported says less of how it was asked: the number of examples, and each item's answer.
  if (imported(one) != imported(other))
    return one.at("settings").value("shots", Json()) == other.at("settings").value("shots", Json())
               ? ""
               : "asked with other numbers of examples";
  if (one.at("settings") != other.at("settings"))
    return "asked differently: the tasks' settings (examples, data, profile) differ";
  return {};
}

OrderedJson task_json(const std::string& name, const Json& task, const PairedResult& r, size_t n) {
  OrderedJson out = {{"task", name},
                     {"metric", task.at("main_metric")},
                     {"n", n},
                     {"a", r.a},
                     {"b", r.b},
                     {"difference", r.difference},
                     {"interval95", {r.low, r.high}}};
  if (r.binary) {
    out["only_a"] = r.only_a;
    out["only_b"] = r.only_b;
    out["mcnemar_p"] = r.p_value;
  }
  return out;
}

}  // namespace

PairedResult compare_items(const std::vector<PairedItem>& items, const CompareOptions& options) {
  PairedResult out;
  if (items.empty()) return out;
  const auto ratio = [](double value, double weight) { return weight > 0 ? value / weight : 0; };
  double a = 0, b = 0, weight = 0;
  out.binary = true;
  for (const auto& item : items) {
    a += item.a;
    b += item.b;
    weight += item.weight;
    const auto whole = [](double x) { return x == 0 || x == 1; };
    out.binary = out.binary && whole(item.a) && whole(item.b);
    if (item.a > item.b) out.only_a.push_back(item.doc);
    if (item.b > item.a) out.only_b.push_back(item.doc);
  }
  out.a = ratio(a, weight);
  out.b = ratio(b, weight);
  out.difference = ratio(b - a, weight);
  if (out.binary) out.p_value = sign_test(out.only_a.size(), out.only_b.size());

  PythonRandom random(options.seed);
  std::vector<double> drawn(static_cast<size_t>(std::max<int64_t>(1, options.resamples)));
  for (double& one : drawn) {
    double value = 0, over = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      const auto& item = items[random.below(static_cast<uint32_t>(items.size()))];
      value += item.b - item.a;
      over += item.weight;
    }
    one = ratio(value, over);
  }
  std::sort(drawn.begin(), drawn.end());
  const auto at = [&](double share) {
    return drawn[static_cast<size_t>(std::llround(share * static_cast<double>(drawn.size() - 1)))];
  };
  out.low = at(0.025);
  out.high = at(0.975);
  return out;
}

OrderedJson compare_evaluations(const Compared& first, const Compared& second,
                                const CompareOptions& options) {
  const Evaluation a(first), b(second);
  OrderedJson out = {{"a", a.where.model}, {"b", b.where.model}, {"tasks", OrderedJson::array()}};
  std::vector<std::string> names;
  for (const Evaluation* each : {&a, &b})
    for (const Json& task : each->results.at("tasks"))
      if (const std::string name = task.at("name");
          std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  for (const auto& name : names) {
    if (const auto reason = refusal(a, b, name); !reason.empty()) {
      out["tasks"].push_back({{"task", name}, {"not_compared", reason}});
      continue;
    }
    const Json& task = *a.task(name);
    const auto left = a.items(task), right = b.items(task);
    std::vector<PairedItem> items;
    size_t unlike = 0;
    for (const auto& [doc, one] : left)
      if (const auto other = right.find(doc); other != right.end()) {
        items.push_back(
            {.doc = doc, .a = one.value, .b = other->second.value, .weight = one.weight});
        const Json& gold = other->second.gold;
        unlike += !one.gold.is_null() && !gold.is_null() && one.gold != gold;
      }
    if (unlike) {
      out["tasks"].push_back(
          {{"task", name},
           {"not_compared", "not the same data: " + std::to_string(unlike) + " of " +
                                std::to_string(items.size()) + " items have other right answers"}});
      continue;
    }
    out["tasks"].push_back(task_json(name, task, compare_items(items, options), items.size()));
  }
  return out;
}

}  // namespace helio::eval
