#include "train/chunks.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace helio::train {

double free_margin(const EncodedPreference& pair, const PairScore& score) {
  return score.chosen / static_cast<double>(pair.chosen.size()) -
         score.rejected / static_cast<double>(pair.rejected.size());
}

std::vector<std::vector<size_t>> make_chunks(const std::vector<double>& margins, int64_t count,
                                             const std::string& order, uint64_t seed) {
  const size_t pairs = margins.size(), parts = static_cast<size_t>(count);
  if (pairs < parts)
    throw Error(ErrorKind::invalid, std::to_string(pairs) + " pairs cannot be cut into " +
                                        std::to_string(parts) + " steps")
        .with_hint("lower steps or give more data");
  std::vector<size_t> sorted(pairs);
  std::iota(sorted.begin(), sorted.end(), size_t(0));
  if (order == "random") {
    Rng::stream(seed, "sdpo chunks").shuffle<size_t>(sorted);
  } else {
    const double sign = order == "easy_to_hard" ? -1 : 1;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](size_t a, size_t b) { return sign * margins[a] < sign * margins[b]; });
  }
  std::vector<std::vector<size_t>> chunks;
  for (size_t t = 0, begin = 0; t < parts; ++t) {
    const size_t size = pairs / parts + (t < pairs % parts ? 1 : 0);
    chunks.emplace_back(sorted.begin() + static_cast<ptrdiff_t>(begin),
                        sorted.begin() + static_cast<ptrdiff_t>(begin + size));
    begin += size;
  }
  return chunks;
}

OrderedJson Accuracy::json() const {
  if (of == 0)
    return {{"correct", 0}, {"of", 0}, {"share", nullptr}, {"low", nullptr}, {"high", nullptr}};
  // Wilson 1927; z of 95 %.
  constexpr double z = 1.959963984540054;
  const double n = static_cast<double>(of), share = static_cast<double>(correct) / n;
  const double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
  const double half =
      z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return {{"correct", correct},
          {"of", of},
          {"share", share},
          {"low", std::max(0.0, middle - half)},
          {"high", std::min(1.0, middle + half)}};
}

OrderedJson RewardSummary::json() const {
  return {{"chosen", chosen},
          {"rejected", rejected},
          {"margin", margin},
          {"accuracy", accuracy.json()}};
}

RewardSummary compare(const std::vector<PairScore>& policy, const std::vector<PairScore>& reference,
                      double beta) {
  HELIO_CHECK(policy.size() == reference.size(), "scores of the same pairs");
  RewardSummary sum;
  for (size_t i = 0; i < policy.size(); ++i) {
    const double chosen = beta * (policy[i].chosen - reference[i].chosen);
    const double rejected = beta * (policy[i].rejected - reference[i].rejected);
    sum.chosen += chosen;
    sum.rejected += rejected;
    sum.accuracy.correct += chosen > rejected ? 1 : 0;
  }
  sum.accuracy.of = static_cast<int64_t>(policy.size());
  const double n = std::max(1.0, static_cast<double>(policy.size()));
  sum.chosen /= n;
  sum.rejected /= n;
  sum.margin = sum.chosen - sum.rejected;
  return sum;
}

Accuracy free_accuracy(const std::vector<EncodedPreference>& pairs,
                       const std::vector<PairScore>& scores) {
  Accuracy accuracy{.of = static_cast<int64_t>(pairs.size())};
  for (size_t i = 0; i < pairs.size(); ++i)
    accuracy.correct += free_margin(pairs[i], scores[i]) > 0 ? 1 : 0;
  return accuracy;
}

double mean_gamma(const std::vector<PairScore>& scores) {
  double sum = 0;
  for (const PairScore& score : scores) sum += score.chosen - score.rejected;
  return scores.empty() ? 0 : sum / static_cast<double>(scores.size());
}

}  // namespace helio::train
