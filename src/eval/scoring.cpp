#include "eval/scoring.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace helio::eval {
namespace {

// Batches are a few forward passes: often enough on disk, seldom enough not to wait for the disk.
constexpr int64_t kPassesPerBatch = 2;

int64_t tokens_of(const std::vector<model::ScoreRequest>& requests) {
  size_t all = 0;
  for (const auto& request : requests) all += request.context.size() + request.continuation.size();
  return static_cast<int64_t>(all);
}

}  // namespace

ScoredTask score_task(const Task& task, model::LanguageModel& model, Journal& journal,
                      const ScoringOptions& options, const std::function<void(int64_t)>& done) {
  const auto count = static_cast<size_t>(task.items());
  ScoredTask out;
  out.items.resize(count);
  out.asked.resize(count, 0);
  std::vector<std::vector<model::ScoreRequest>> requests(count);
  std::vector<int64_t> tokens(count, 0);
  std::vector<size_t> order;
  int64_t skipped = 0;
  for (size_t i = 0; i < count; ++i) {
    requests[i] = task.requests(static_cast<int64_t>(i), model);
    const bool fits = std::all_of(requests[i].begin(), requests[i].end(), [&](const auto& request) {
      return static_cast<int64_t>(request.continuation.size()) <= model.max_positions();
    });
    if (requests[i].empty() || !fits) {
      ++out.unscorable;
      skipped += task.cost(static_cast<int64_t>(i));
      continue;
    }
    tokens[i] = tokens_of(requests[i]);
    order.push_back(i);
  }
  if (skipped) done(skipped);
  // Longest first: like lengths share a pass, and too little memory shows at once.
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return tokens[a] > tokens[b]; });

  for (size_t first = 0; first < order.size();) {
    std::vector<model::ScoreRequest> batch;
    size_t last = first;
    for (int64_t used = 0;
         last < order.size() &&
         (last == first || used + tokens[order[last]] <= kPassesPerBatch * options.batch_tokens);
         ++last) {
      used += tokens[order[last]];
      batch.insert(batch.end(), requests[order[last]].begin(), requests[order[last]].end());
    }
    const std::string key = journal_key(options.settings, batch);
    auto scores = journal.find(key, batch.size());
    if (!scores) {
      scores = model.score(batch);
      for (const auto& each : *scores)
        if (!std::isfinite(each.log_prob))
          throw Error(ErrorKind::invalid, "the model's log-probabilities are not numbers")
              .with_hint(
                  "its weights hold NaN or infinity: `helio model info` shows what it is; look at "
                  "its training run's loss");
      journal.add(key, *scores);
    }
    auto score = scores->begin();
    int64_t cost = 0;
    for (size_t i = first; i < last; ++i) {
      const size_t item = order[i];
      const auto end = score + static_cast<ptrdiff_t>(requests[item].size());
      out.items[item] = task.judge(static_cast<int64_t>(item), requests[item], {score, end});
      out.asked[item] = 1;
      cost += task.cost(static_cast<int64_t>(item));
      requests[item] = {};
      score = end;
    }
    done(cost);
    first = last;
  }
  return out;
}

}  // namespace helio::eval
