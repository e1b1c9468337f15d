#include "eval/choices.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace helio::eval {

size_t argmax(const std::vector<double>& values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

ChoiceTask::ChoiceTask(TaskSpec spec, std::vector<ChoiceItem> items, std::vector<Part> parts,
                       std::string not_run, OrderedJson settings, Profile profile)
    : Task(std::move(spec)), items_(std::move(items)) {
  parts_ = std::move(parts);
  not_run_ = std::move(not_run);
  settings_ = std::move(settings);
  profile_ = std::move(profile);
}

int64_t ChoiceTask::cost(int64_t index) const {
  const ChoiceItem& item = at(index);
  size_t bytes = 0;
  for (size_t i = 0; i < item.size(); ++i)
    bytes += item.context(i).size() + item.continuation(i).size();
  return static_cast<int64_t>(bytes);
}

std::vector<Ask> ChoiceTask::asks(int64_t index) const {
  const ChoiceItem& item = at(index);
  std::vector<Ask> out;
  for (size_t i = 0; i < item.size(); ++i) {
    Ask ask = item.ask(i);
    if (chat_) {  // the assistant's turn begins with the choice itself
      auto messages = item.messages;
      messages.push_back({.role = "user", .content = ask.context});
      ask = {.context = conversation_text(messages, *chat_),
             .continuation = ask.continuation.substr(spec_.delimiter.size())};
    }
    out.push_back(std::move(ask));
  }
  return out;
}

std::vector<model::ScoreRequest> ChoiceTask::requests(int64_t index,
                                                      const model::LanguageModel& model) const {
  std::vector<model::ScoreRequest> out;
  for (const Ask& ask : asks(index)) {
    out.push_back(encode_pair(ask.context, ask.continuation, model, profile_.special));
    if (out.back().continuation.empty()) return {};
  }
  return out;
}

namespace {

// By how much the first is ahead of the second; infinite where there is one choice.
double margin(std::vector<double> values) {
  if (values.size() < 2) return std::numeric_limits<double>::infinity();
  std::partial_sort(values.begin(), values.begin() + 2, values.end(), std::greater<>());
  return values[0] - values[1];
}

// Truthful answers' share of the probability of all answers, as lm-evaluation-harness's mc2.
Judged judge_labelled(const ChoiceItem& item, const std::vector<model::Score>& scores) {
  double all = 0, right = 0;
  OrderedJson shown = OrderedJson::array(), greedy = OrderedJson::array();
  for (size_t i = 0; i < scores.size(); ++i) {
    const double p = std::exp(scores[i].log_prob);
    all += p;
    if (item.right[i]) right += p;
    shown.push_back(scores[i].log_prob);
    greedy.push_back(scores[i].is_greedy);
  }
  Judged judged;
  judged.metrics.push_back({.value = right / all});
  judged.sample = {{"doc", item.id},
                   {"log_probs", shown},
                   {"greedy", greedy},
                   {"true", item.right},
                   {"true_share", right / all}};
  return judged;
}

}  // namespace

Judged ChoiceTask::judge(int64_t index, const std::vector<model::ScoreRequest>&,
                         const std::vector<model::Score>& scores) const {
  const ChoiceItem& item = at(index);
  if (!item.right.empty()) return judge_labelled(item, scores);
  std::vector<double> sums, normed;
  OrderedJson shown = OrderedJson::array(), greedy = OrderedJson::array();
  for (size_t i = 0; i < scores.size(); ++i) {
    sums.push_back(scores[i].log_prob);
    // An empty choice has length 0 and is never preferred: what numpy's division gives, too.
    normed.push_back(item.lengths[i] ? scores[i].log_prob / static_cast<double>(item.lengths[i])
                                     : -std::numeric_limits<double>::infinity());
    shown.push_back(scores[i].log_prob);
    greedy.push_back(scores[i].is_greedy);
  }
  Judged judged;
  judged.sample = {{"doc", item.id}, {"log_probs", shown}, {"greedy", greedy}, {"gold", item.gold}};
  judged.gold = static_cast<int64_t>(item.gold);
  judged.predicted = static_cast<int64_t>(argmax(sums));
  for (const auto& metric : spec_.metrics) {
    if (metric == "f1") {  // over all items: results.cpp
      judged.metrics.push_back({});
      continue;
    }
    const bool by_length = metric == "acc_norm";
    const auto& values = by_length ? normed : sums;
    const size_t predicted = argmax(values);
    judged.metrics.push_back({.value = predicted == item.gold ? 1.0 : 0.0});
    if (metric == spec_.main_metric) judged.margin = margin(values);
    judged.sample[by_length ? "predicted_norm" : "predicted"] = predicted;
    judged.sample[by_length ? "correct_norm" : "correct"] = predicted == item.gold;
  }
  return judged;
}

}  // namespace helio::eval
