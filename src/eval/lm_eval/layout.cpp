#include "eval/lm_eval/layout.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "text/chat_format.h"

namespace helio::eval {
namespace {

constexpr const char* kVersion = "0.4.13";

// datetime.now().isoformat() with '-' for ':'.
std::string date_name(double now) {
  const auto seconds = static_cast<std::time_t>(now);
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H-%M-%S", &local);
  const auto micros = static_cast<int64_t>((now - std::floor(now)) * 1e6);
  std::string tail = std::to_string(micros);
  return std::string(text, size) + "." + std::string(6 - tail.size(), '0') + tail;
}

// A JSON value as Python's str() has it.
std::string python_text(const OrderedJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_null()) return "None";
  return value.dump();
}

OrderedJson python_texts(const OrderedJson& values) {
  OrderedJson out = OrderedJson::array();
  for (const auto& value : values) out.push_back(python_text(value));
  return out;
}

// The filters of a task's metrics, in order.
std::vector<std::string> filters_of(const TaskSpec& spec) {
  std::vector<std::string> out;
  for (const auto& metric : spec.metrics)
    if (const auto filter = lm_eval_metric(metric).filter;
        std::find(out.begin(), out.end(), filter) == out.end())
      out.push_back(filter);
  return out;
}

// "anatomy/12" is item 12; an id that is no number is the item's place.
int64_t number_of(const std::string& id, int64_t place) {
  const std::string tail = id.substr(id.rfind('/') == id.npos ? 0 : id.rfind('/') + 1);
  const bool digits =
      !tail.empty() && tail.size() < 16 &&
      std::all_of(tail.begin(), tail.end(), [](unsigned char c) { return c >= '0' && c <= '9'; });
  return digits ? std::stoll(tail) : place;
}

// The text, or a conversation as JSON, as lm-evaluation-harness keeps those of chat endpoints.
std::string prompt_of(const Answerable& question) {
  return question.messages.empty() ? question.prompt
                                   : compact(text::message_list(question.messages));
}

OrderedJson arguments_of(const std::vector<Ask>& asks, const std::optional<Answerable>& question) {
  OrderedJson out = OrderedJson::object();
  if (question)
    out["gen_args_0"] = {{"arg_0", prompt_of(*question)},
                         {"arg_1",
                          {{"until", question->stops},
                           {"do_sample", question->temperature > 0},
                           {"temperature", question->temperature},
                           {"max_gen_toks", question->max_tokens}}}};
  for (size_t i = 0; i < asks.size(); ++i)
    out["gen_args_" + std::to_string(i)] = {{"arg_0", asks[i].context},
                                            {"arg_1", asks[i].continuation}};
  return out;
}

// [[log-probability, greedy], ...] as texts.
OrderedJson scored_texts(const OrderedJson& sample) {
  OrderedJson out = OrderedJson::array();
  const auto greedy = sample.find("greedy");
  for (size_t i = 0; i < sample.at("log_probs").size(); ++i)
    out.push_back(
        OrderedJson::array({python_text(sample.at("log_probs")[i]),
                            python_text(greedy != sample.end() ? (*greedy)[i] : OrderedJson())}));
  return out;
}

std::string target_of(const OrderedJson& sample) {
  for (const char* key : {"target", "gold", "true"})
    if (const auto found = sample.find(key); found != sample.end()) return python_text(*found);
  return {};
}

// Where contexts differ and what is scored does not, that is the target.
std::string without_space(const std::string& text) {
  const size_t begin = text.find_first_not_of(' ');
  return begin == text.npos ? std::string() : text.substr(begin);
}

// What a filter read out of an answer.
OrderedJson read_answer(const OrderedJson& sample, const std::string& filter) {
  for (const char* key : {filter == "flexible-extract" ? "answer_flexible" : "answer", "response"})
    if (const auto found = sample.find(key); found != sample.end())
      return OrderedJson::array({*found});
  return OrderedJson::array();
}

void add_metric(OrderedJson& to, const std::string& name, const OrderedJson& metric) {
  const LmEvalMetric theirs = lm_eval_metric(name);
  to[theirs.name + "," + theirs.filter] = metric.at("value");
  to[theirs.name + "_stderr," + theirs.filter] =
      metric.at("stderr").is_null() ? OrderedJson("N/A") : metric.at("stderr");
}

}  // namespace

LmEvalMetric lm_eval_metric(const std::string& ours) {
  if (ours == "exact_match") return {"exact_match", "strict-match"};
  if (ours == "exact_match_flexible") return {"exact_match", "flexible-extract"};
  return {ours, "none"};
}

std::string our_metric(const LmEvalMetric& theirs) {
  if (theirs.name == "exact_match" && theirs.filter == "flexible-extract")
    return "exact_match_flexible";
  if (theirs.filter == "none" || theirs.filter == "strict-match") return theirs.name;
  return theirs.name + "," + theirs.filter;
}

std::string lm_eval_part(std::string part) {
  for (char& c : part) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return part;
}

std::string lm_eval_folder(const std::string& model) {
  constexpr std::string_view kNot = "\"<>:/|\\?*[]";
  std::string out;
  for (size_t i = 0; i < model.size(); ++i) {
    if (kNot.find(model[i]) == kNot.npos) out += model[i];
    else if (i == 0 || kNot.find(model[i - 1]) == kNot.npos) out += "__";
  }
  // Nothing, "." or ".." would be another folder.
  return out.find_first_not_of('.') == out.npos ? out + "_" : out;
}

LmEvalLayout::LmEvalLayout(std::filesystem::path dir, std::string model, double now,
                           OrderedJson settings)
    : dir_(dir / lm_eval_folder(model)),
      model_(std::move(model)),
      date_(date_name(now)),
      now_(now),
      settings_(std::move(settings)) {
  make_dirs(dir_);
}

void LmEvalLayout::add(const Task& task, const ScoredTask& scored, const OrderedJson& result) {
  if (result.at("status") != "ok") return;
  const std::string& name = task.spec().name;
  const bool parts = result.contains("parts");
  if (!parts) {
    add_entry(task, scored,
              {.name = name, .alias = name, .begin = 0, .end = task.items(), .total = task.total()},
              result.at("metrics"), result.at("n"));
    return;
  }
  std::map<std::string, std::vector<std::string>> members;  // of a group of parts; "": of none
  std::vector<std::string> top;
  if (result.contains("groups"))
    for (const auto& group : result.at("groups"))
      top.push_back(name + "_" + lm_eval_part(group.at("name")));
  size_t place = 0;
  for (const Part& part : task.parts()) {
    if (part.name.empty()) continue;
    const OrderedJson& figures = result.at("parts").at(place++);
    if (figures.at("n") == 0) continue;
    const std::string entry = name + "_" + lm_eval_part(part.name);
    add_entry(task, scored,
              {.name = entry,
               .alias = part.name,
               .begin = part.begin,
               .end = part.end,
               .total = part.total},
              figures.at("metrics"), figures.at("n"));
    members[part.group].push_back(entry);
  }
  top.insert(top.end(), members[""].begin(), members[""].end());
  add_group(task, name, name, result.at("metrics"), result.at("n"), top);
  if (result.contains("groups"))
    for (const auto& group : result.at("groups")) {
      const std::string group_name = group.at("name");
      add_group(task, name + "_" + lm_eval_part(group_name), group_name, group.at("metrics"),
                group.at("n"), members[group_name]);
    }
}

void LmEvalLayout::add_group(const Task& task, const std::string& name, const std::string& alias,
                             const OrderedJson& metrics, int64_t n,
                             const std::vector<std::string>& members) {
  OrderedJson row = {{"name", name}, {"alias", alias}, {"sample_len", n}};
  for (const auto& metric : task.spec().metrics)
    if (metrics.contains(metric)) add_metric(row, metric, metrics.at(metric));
  results_[name] = groups_[name] = row;
  subtasks_[name] = members;
  versions_[name] = nullptr;
  for (const auto& metric : task.spec().metrics)
    higher_[name][lm_eval_metric(metric).name] = task.spec().mode != "bits_per_byte";
}

void LmEvalLayout::add_entry(const Task& task, const ScoredTask& scored, const Entry& entry,
                             const OrderedJson& metrics, int64_t n) {
  const TaskSpec& spec = task.spec();
  OrderedJson row = {{"name", entry.name}, {"alias", entry.alias}, {"sample_len", n}};
  OrderedJson measured = OrderedJson::array();
  for (const auto& metric : spec.metrics) {
    if (metrics.contains(metric)) add_metric(row, metric, metrics.at(metric));
    const std::string theirs = lm_eval_metric(metric).name;
    higher_[entry.name][theirs] = spec.mode != "bits_per_byte";
    if (std::none_of(measured.begin(), measured.end(),
                     [&](const auto& one) { return one.at("metric") == theirs; }))
      measured.push_back({{"metric", theirs}, {"higher_is_better", higher_[entry.name][theirs]}});
  }
  results_[entry.name] = std::move(row);
  const OrderedJson shots =
      task.settings().contains("shots") ? task.settings().at("shots") : OrderedJson(0);
  const char* type = task.in_words()                ? "generate_until"
                     : spec.mode == "bits_per_byte" ? "loglikelihood_rolling"
                                                    : "multiple_choice";
  configs_[entry.name] = {
      {"task", entry.name},
      {"output_type", type},
      {"num_fewshot", shots},
      {"description", spec.description},
      {"target_delimiter", spec.delimiter},
      {"fewshot_delimiter", spec.separator},
      {"metric_list", measured},
      {"repeats", 1},
      {"should_decontaminate", false},
      {"metadata", {{"made_by", "helio eval run"}, {"settings", task.settings()}}}};
  versions_[entry.name] = nullptr;  // of its own task files, which were not read
  shots_[entry.name] = shots;
  counts_[entry.name] = {{"original", entry.total}, {"effective", n}};
  write_samples(task, scored, entry);
}

void LmEvalLayout::write_samples(const Task& task, const ScoredTask& scored, const Entry& entry) {
  const std::string file = "samples_" + entry.name + "_" + date_ + ".jsonl";
  LineWriter writer(dir_ / file);
  Sha256Stream all;
  for (const auto& filter : filters_of(task.spec())) {
    for (int64_t i = entry.begin; i < entry.end; ++i) {
      if (!scored.asked[static_cast<size_t>(i)]) continue;
      const Judged& judged = scored.items[static_cast<size_t>(i)];
      const std::string id = task.item_id(i);
      const auto question = task.question(i, {});
      const auto asks = question ? std::vector<Ask>{} : task.asks(i);
      const std::string target = task.spec().mode == "partial_context" && !asks.empty()
                                     ? without_space(asks[0].continuation)
                                     : target_of(judged.sample);
      const OrderedJson doc = {{"id", id}};
      const std::string prompt = question       ? prompt_of(*question)
                                 : asks.empty() ? std::string()
                                                : asks[0].context;
      const std::string hashes = sha256_hex(doc.dump(2)) + sha256_hex(prompt) + sha256_hex(target);
      all.update(hashes);
      OrderedJson row = {{"doc_id", number_of(id, i - entry.begin)},
                         {"doc", doc},
                         {"target", target},
                         {"arguments", arguments_of(asks, question)},
                         {"resps", OrderedJson::array()},
                         {"filtered_resps", OrderedJson::array()},
                         {"filter", filter},
                         {"metrics", OrderedJson::array()},
                         {"doc_hash", hashes.substr(0, 64)},
                         {"prompt_hash", hashes.substr(64, 64)},
                         {"target_hash", hashes.substr(128, 64)}};
      if (judged.sample.contains("log_probs")) {
        row["filtered_resps"] = scored_texts(judged.sample);
        for (const auto& one : row["filtered_resps"])
          row["resps"].push_back(OrderedJson::array({one}));
      } else if (judged.sample.contains("response")) {
        row["resps"] = {{python_text(judged.sample.at("response"))}};
        row["filtered_resps"] = python_texts(read_answer(judged.sample, filter));
      }
      for (size_t m = 0; m < task.spec().metrics.size() && m < judged.metrics.size(); ++m) {
        const LmEvalMetric theirs = lm_eval_metric(task.spec().metrics[m]);
        if (theirs.filter != filter) continue;
        row["metrics"].push_back(theirs.name);
        const auto& [value, weight] = judged.metrics[m];
        if (theirs.name == "f1") row[theirs.name] = {judged.gold, judged.predicted};
        else row[theirs.name] = weight > 0 ? value / weight : 0.0;
      }
      writer.write(compact(row));
    }
  }
  writer.commit();
  files_.push_back(file);
  hashes_[entry.name] = all.hex();
}

void LmEvalLayout::write(const OrderedJson& model) {
  OrderedJson out = {{"results", results_}};
  if (!groups_.empty()) out["groups"] = groups_;
  out["group_subtasks"] = subtasks_;
  out["configs"] = configs_;
  out["versions"] = versions_;
  out["n-shot"] = shots_;
  out["higher_is_better"] = higher_;
  out["n-samples"] = counts_;
  const auto setting = [&](const char* key) {
    return settings_.contains(key) ? settings_.at(key) : OrderedJson();
  };
  const OrderedJson limit = setting("limit");
  out["config"] = {{"model", "helio"},
                   {"model_args", {{"pretrained", model_}}},
                   {"model_dtype", setting("dtype")},
                   {"model_sha", model.value("content", "")},
                   {"batch_size", python_text(setting("batch_tokens"))},
                   {"batch_sizes", OrderedJson::array()},
                   {"device", nullptr},
                   {"use_cache", nullptr},
                   {"limit", limit.is_number() && limit != 0 ? limit : OrderedJson()},
                   {"bootstrap_iters", 0},
                   {"gen_kwargs", OrderedJson::object()},
                   {"random_seed", nullptr},
                   {"numpy_seed", nullptr},
                   {"torch_seed", nullptr},
                   {"fewshot_seed", setting("seed")}};
  out["git_hash"] = nullptr;
  out["date"] = now_;
  for (const char* key : {"pretty_env_info", "transformers_version"}) out[key] = nullptr;
  out["lm_eval_version"] = kVersion;  // whose layout this is
  for (const char* key : {"upper_git_hash", "tokenizer_pad_token", "tokenizer_eos_token",
                          "tokenizer_bos_token", "eot_token_id"})
    out[key] = nullptr;
  out["max_length"] = model.contains("positions") ? model.at("positions") : OrderedJson();
  out["task_hashes"] = hashes_;
  out["model_source"] = "helio";
  out["model_name"] = model_;
  out["model_name_sanitized"] = lm_eval_folder(model_);
  for (const char* key : {"system_instruction", "system_instruction_sha", "fewshot_as_multiturn",
                          "chat_template", "chat_template_sha"})
    out[key] = nullptr;
  out["total_evaluation_time_seconds"] = nullptr;
  const std::string file = "results_" + date_ + ".json";
  write_file_atomic(dir_ / file, pretty(out));
  files_.push_back(file);
}

}  // namespace helio::eval
