#include "eval/choices.h"

#include <algorithm>
#include <limits>

namespace helio::eval {

size_t argmax(const std::vector<double>& values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

ChoiceTask::ChoiceTask(TaskSpec spec, std::vector<ChoiceItem> items, std::vector<Part> parts,
                       std::string not_run, OrderedJson settings)
    : Task(std::move(spec)), items_(std::move(items)) {
  parts_ = std::move(parts);
  not_run_ = std::move(not_run);
  settings_ = std::move(settings);
}

int64_t ChoiceTask::cost(int64_t item) const {
  size_t bytes = 0;
  for (const Ask& ask : at(item).asks) bytes += ask.context.size() + ask.continuation.size();
  return static_cast<int64_t>(bytes);
}

std::vector<model::ScoreRequest> ChoiceTask::requests(int64_t item,
                                                      const model::LanguageModel& model) const {
  std::vector<model::ScoreRequest> out;
  for (const Ask& ask : at(item).asks) {
    out.push_back(encode_pair(ask.context, ask.continuation, model));
    if (out.back().continuation.empty()) return {};
  }
  return out;
}

Judged ChoiceTask::judge(int64_t index, const std::vector<model::ScoreRequest>&,
                         const std::vector<model::Score>& scores) const {
  const ChoiceItem& item = at(index);
  std::vector<double> sums, normed;
  OrderedJson shown = OrderedJson::array();
  for (size_t i = 0; i < scores.size(); ++i) {
    sums.push_back(scores[i].log_prob);
    // An empty choice has length 0 and is never preferred: what numpy's division gives, too.
    normed.push_back(item.lengths[i] ? scores[i].log_prob / static_cast<double>(item.lengths[i])
                                     : -std::numeric_limits<double>::infinity());
    shown.push_back(scores[i].log_prob);
  }
  Judged judged;
  judged.sample = {{"doc", item.id}, {"log_probs", shown}, {"gold", item.gold}};
  for (const auto& metric : spec_.metrics) {
    const bool by_length = metric == "acc_norm";
    const auto& values = by_length ? normed : sums;
    const size_t predicted = argmax(values);
    judged.metrics.push_back({.value = predicted == item.gold ? 1.0 : 0.0});
    judged.sample[by_length ? "predicted_norm" : "predicted"] = predicted;
    judged.sample[by_length ? "correct_norm" : "correct"] = predicted == item.gold;
  }
  return judged;
}

}  // namespace helio::eval
