#include "eval/scoring.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/parallel.h"

namespace helio::eval {
namespace {

// A unit is a few forward passes: often enough on disk, seldom enough not to wait for the disk, and
// what its requests begin with alike is run once.
constexpr int64_t kPassesPerUnit = 2;

// A request with its ids in one piece, and whose it is.
struct Asked {
  std::vector<text::TokenId> ids = {};
  size_t context = 0;
  size_t item = 0, place = 0;

  auto operator<=>(const Asked& other) const {
    if (const auto by_ids = ids <=> other.ids; by_ids != 0) return by_ids;
    return context <=> other.context;
  }
  bool same(const Asked& other) const { return context == other.context && ids == other.ids; }
  model::ScoreRequest request() const {
    const auto cut = ids.begin() + static_cast<ptrdiff_t>(context);
    return {.context = {ids.begin(), cut}, .continuation = {cut, ids.end()}};
  }
};

int64_t common_prefix(const std::vector<text::TokenId>& a, const std::vector<text::TokenId>& b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

// All requests of the task in the order of their ids, so that those that begin alike are
// neighbours.
std::vector<Asked> all_requests(const Task& task, const model::LanguageModel& model, int threads,
                                std::vector<size_t>& left) {
  const auto count = static_cast<size_t>(task.items());
  std::vector<std::vector<Asked>> by_item(count);
  parallel_slices(count, threads, 16, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; ++i) {
      const auto requests = task.requests(static_cast<int64_t>(i), model);
      const bool fits = std::all_of(requests.begin(), requests.end(), [&](const auto& request) {
        return static_cast<int64_t>(request.continuation.size()) <= model.max_positions();
      });
      if (!fits) continue;
      for (const auto& request : requests) {
        Asked asked{.ids = request.context,
                    .context = request.context.size(),
                    .item = i,
                    .place = by_item[i].size()};
        asked.ids.insert(asked.ids.end(), request.continuation.begin(), request.continuation.end());
        by_item[i].push_back(std::move(asked));
      }
    }
  });
  std::vector<Asked> all;
  left.assign(count, 0);
  for (size_t i = 0; i < count; ++i) {
    left[i] = by_item[i].size();
    std::move(by_item[i].begin(), by_item[i].end(), std::back_inserter(all));
    by_item[i] = {};
  }
  std::stable_sort(all.begin(), all.end());
  return all;
}

void check_finite(const std::vector<model::Score>& scores) {
  for (const auto& each : scores)
    if (!std::isfinite(each.log_prob))
      throw Error(ErrorKind::invalid, "the model's log-probabilities are not numbers")
          .with_hint(
              "its weights hold NaN or infinity: `helio model info` shows what it is; look at "
              "its training run's loss");
}

}  // namespace

ScoredTask score_task(const Task& task, model::LanguageModel& model, Journal& journal,
                      const ScoringOptions& options, const std::function<void(int64_t)>& done) {
  const auto count = static_cast<size_t>(task.items());
  ScoredTask out;
  out.items.resize(count);
  out.asked.resize(count, 0);
  std::vector<size_t> left;  // requests of each item that have no score yet
  const int threads = options.threads > 0 ? static_cast<int>(options.threads) : hardware_threads();
  std::vector<Asked> all = all_requests(task, model, threads, left);
  int64_t skipped = 0;
  for (size_t i = 0; i < count; ++i)
    if (left[i] == 0) {
      ++out.unscorable;
      skipped += task.cost(static_cast<int64_t>(i));
    }
  if (skipped) done(skipped);

  // What an item keeps until it is judged: its requests' places in `all`, and their scores.
  struct Open {
    std::vector<size_t> places = {};
    std::vector<model::Score> scores = {};
  };
  std::vector<Open> open(count);
  for (size_t i = 0; i < count; ++i) {
    open[i].places.resize(left[i]);
    open[i].scores.resize(left[i]);
  }
  for (size_t first = 0; first < all.size();) {
    std::vector<model::ScoreRequest> unit;
    size_t last = first;
    for (int64_t used = 0; last < all.size(); ++last) {
      // Of equal requests one is asked; all of them are in one unit.
      const bool again = last > first && all[last].same(all[last - 1]);
      if (!again) {
        const auto length = static_cast<int64_t>(all[last].ids.size());
        const int64_t fresh =
            last == first ? length : length - common_prefix(all[last - 1].ids, all[last].ids);
        if (last > first && used + fresh > kPassesPerUnit * options.batch_tokens) break;
        used += fresh;
        unit.push_back(all[last].request());
      }
    }
    const std::string key = journal_key(options.settings, unit);
    auto scores = journal.find(key, unit.size());
    if (!scores) {
      scores = model.score(unit);
      check_finite(*scores);
      journal.add(key, *scores);
    }
    int64_t cost = 0;
    size_t score = 0;
    for (size_t i = first; i < last; ++i) {
      if (i > first && !all[i].same(all[i - 1])) ++score;
      const size_t item = all[i].item;
      open[item].scores[all[i].place] = (*scores)[score];
      open[item].places[all[i].place] = i;
      // Each request counts for its share of the item's cost.
      const auto whole = task.cost(static_cast<int64_t>(item));
      const auto requests_of = static_cast<int64_t>(open[item].places.size());
      const auto before = requests_of - static_cast<int64_t>(left[item]);
      cost += whole * (before + 1) / requests_of - whole * before / requests_of;
      if (--left[item] > 0) continue;
      std::vector<model::ScoreRequest> requests;
      for (const size_t place : open[item].places) requests.push_back(all[place].request());
      out.items[item] = task.judge(static_cast<int64_t>(item), requests, open[item].scores);
      out.asked[item] = 1;
      for (const size_t place : open[item].places)
        if (place < first) all[place].ids = {};
      open[item] = {};
    }
    done(cost);
    first = last;
  }
  return out;
}

}  // namespace helio::eval
