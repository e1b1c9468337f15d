#include "eval/lm_eval/samples.h"

#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/lines.h"
#include "eval/lm_eval/layout.h"
#include "eval/task.h"

namespace helio::eval {
namespace {

Error wrong(const std::string& what) { return {ErrorKind::invalid, what}; }

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() || value.is_boolean() ? value.dump() : std::string();
}

// A number, or its text: -1.5, "-1.5", "-inf".
std::optional<double> number_of(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

const Json& need(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end()) throw wrong(std::string("no '") + key + "'");
  return *found;
}

// [[log-probability, greedy], ...]: nothing when the responses are words.
std::optional<std::vector<double>> log_probs_of(const Json& responses) {
  if (!responses.is_array() || responses.empty()) return std::nullopt;
  std::vector<double> out;
  for (const Json& one : responses) {
    if (!one.is_array() || one.size() != 2) return std::nullopt;
    const auto number = number_of(one[0]);
    if (!number) return std::nullopt;
    if (std::isnan(*number) || *number > 1e-3) throw wrong("a log-probability is " + one[0].dump());
    out.push_back(*number);
  }
  return out;
}

bool greedy(const Json& value) { return value == Json("True") || value == Json(true); }

// The first word-like thing of nested lists.
std::string first_text(const Json& value) {
  const Json* at = &value;
  while (at->is_array() && !at->empty()) at = &(*at)[0];
  return text_of(*at);
}

std::string id_of(const Json& row, const std::string& prefix) {
  const Json& id = need(row, "doc_id");
  if (!id.is_number_integer() && !id.is_string()) throw wrong("'doc_id' is no number");
  return prefix + text_of(id);
}

// A metric's value where it is one number.
std::optional<double> value_of(const Json& row, const std::string& metric) {
  const auto found = row.find(metric);
  if (found == row.end()) return std::nullopt;
  if (found->is_boolean()) return found->get<bool>() ? 1.0 : 0.0;
  if (!found->is_number()) return std::nullopt;
  const auto value = found->get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

void add_verdict(OrderedJson& to, const std::string& key, const Json& row,
                 const std::string& metric) {
  const auto value = value_of(row, metric);
  if (value && (*value == 0 || *value == 1)) to[key] = *value == 1;
}

OrderedJson choices_row(const Json& row, const std::string& id, const std::vector<double>& sums,
                        const std::string& main_metric) {
  OrderedJson shown = OrderedJson::array(), taken = OrderedJson::array();
  for (const double value : sums)
    shown.push_back(std::isfinite(value) ? OrderedJson(value) : OrderedJson());
  for (const Json& one : row["filtered_resps"]) taken.push_back(greedy(one[1]));
  OrderedJson out = {{"doc", id}, {"log_probs", shown}, {"greedy", taken}};
  if (const auto gold = row.contains("target") ? number_of(row["target"]) : std::nullopt;
      gold && *gold >= 0 && *gold < static_cast<double>(sums.size()) && std::floor(*gold) == *gold)
    out["gold"] = static_cast<int64_t>(*gold);
  if (sums.size() > 1) out["predicted"] = argmax(sums);
  add_verdict(out, "correct", row, "acc");
  add_verdict(out, "correct_norm", row, "acc_norm");
  if (const auto value = value_of(row, main_metric); value && *value != 0 && *value != 1)
    out["true_share"] = *value;
  return out;
}

OrderedJson words_row(const Json& row, const std::string& id, const std::string& main_metric) {
  OrderedJson out = {{"doc", id}, {"response", first_text(need(row, "resps"))}};
  if (row.contains("target")) out["target"] = text_of(row["target"]);
  out["answer"] = first_text(need(row, "filtered_resps"));
  const LmEvalMetric main = lm_eval_metric(main_metric);
  add_verdict(out, "correct", row, main.name);
  if (const auto value = value_of(row, main.name); value && *value != 0 && *value != 1)
    out["score"] = *value;
  return out;
}

// A share of labelled choices is a share for every item, also where it is 0 or 1.
void finish(std::vector<OrderedJson>& rows, const std::vector<double>& values) {
  bool shares = false, scores = false;
  for (const auto& row : rows) {
    shares = shares || row.contains("true_share");
    scores = scores || row.contains("score");
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (std::isnan(values[i]) || (!shares && !scores)) continue;
    rows[i].erase("correct");
    rows[i][shares ? "true_share" : "score"] = values[i];
  }
}

}  // namespace

std::vector<OrderedJson> read_lm_eval_samples(const std::filesystem::path& file,
                                              const std::string& prefix,
                                              const std::string& main_metric) {
  std::vector<OrderedJson> rows;
  std::vector<double> values;                                   // in the main metric; NaN: none
  std::map<std::string, std::pair<size_t, std::string>> known;  // id -> its row, filters seen
  read_jsonl(file, [&](const Json& row, int64_t line) {
    in_context(
        [&] { return "in " + file.string() + ":" + std::to_string(line); },
        [&] {
          if (!row.is_object()) throw wrong("no JSON object");
          const std::string id = id_of(row, prefix);
          const std::string filter = row.contains("filter") ? text_of(row["filter"]) : "none";
          const auto [entry, fresh] = known.try_emplace(id, rows.size(), filter);
          if (fresh) {
            const auto sums = log_probs_of(need(row, "filtered_resps"));
            rows.push_back(sums ? choices_row(row, id, *sums, main_metric)
                                : words_row(row, id, main_metric));
            values.push_back(value_of(row, lm_eval_metric(main_metric).name)
                                 .value_or(std::numeric_limits<double>::quiet_NaN()));
            return;
          }
          if (("," + entry->second.second + ",").find("," + filter + ",") != std::string::npos)
            throw wrong("item " + id + " stands twice");
          entry->second.second += "," + filter;
          OrderedJson& whole = rows[entry->second.first];
          const std::string ending = filter == "flexible-extract" ? "_flexible" : "," + filter;
          whole["answer" + ending] = first_text(need(row, "filtered_resps"));
          add_verdict(whole, "correct" + ending, row, lm_eval_metric(main_metric).name);
        });
  });
  finish(rows, values);
  return rows;
}

}  // namespace helio::eval
