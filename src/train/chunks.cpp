#include "train/chunks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace helio::train {

double free_margin(const EncodedPreference& pair, const PairScore& score) {
  const auto mean = [](double sum, size_t tokens) {
    return tokens == 0 ? 0 : sum / static_cast<double>(tokens);
  };
  return mean(score.chosen, pair.chosen.size()) - mean(score.rejected, pair.rejected.size());
}

double free_margin(const EncodedPreference& pair, const PairScore& score, const std::string& ease) {
  return ease == "sum" ? score.chosen - score.rejected : free_margin(pair, score);
}

namespace {
bool is_pair(const EncodedPreference& pair) {
  return !pair.chosen.empty() && !pair.rejected.empty();
}
}  // namespace

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

std::vector<std::vector<size_t>> make_source_chunks(const std::vector<std::string>& sources,
                                                    const std::vector<double>& margins,
                                                    int64_t count, const std::string& order,
                                                    uint64_t seed) {
  struct Source {
    std::vector<size_t> rows = {};
    double right = 0;
    double accuracy() const { return right / static_cast<double>(rows.size()); }
  };
  std::vector<Source> all;
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < sources.size(); ++i) {
    const auto [place, fresh] = places.emplace(sources[i], all.size());
    if (fresh) all.emplace_back();
    all[place->second].rows.push_back(i);
    all[place->second].right += margins[i] > 0 ? 1 : 0;
  }
  const auto parts = static_cast<size_t>(count);
  if (all.size() < parts)
    throw Error(ErrorKind::invalid, std::to_string(all.size()) + " sources cannot be cut into " +
                                        std::to_string(parts) + " steps")
        .with_hint("lower steps, or use --chunks pairs; a pair's source is its \"source\" or file");
  if (order == "random") Rng::stream(seed, "sdpo chunks").shuffle<Source>(all);
  else
    std::stable_sort(all.begin(), all.end(), [&](const Source& a, const Source& b) {
      return order == "easy_to_hard" ? a.accuracy() > b.accuracy() : a.accuracy() < b.accuracy();
    });
  std::vector<std::vector<size_t>> chunks(1);
  size_t left = sources.size(), next = 0;
  for (const Source& source : all) {
    const size_t open = parts - chunks.size() + 1;    // chunks still to fill, this one included
    const bool must = all.size() - next == open - 1;  // each of the sources left begins one
    const bool full = chunks.back().size() * open >= left;
    if (!chunks.back().empty() && chunks.size() < parts && (must || full)) {
      left -= chunks.back().size();
      chunks.emplace_back();
    }
    chunks.back().insert(chunks.back().end(), source.rows.begin(), source.rows.end());
    ++next;
  }
  return chunks;
}

Duplicates find_duplicates(const std::vector<EncodedPreference>& pairs,
                           const std::vector<std::vector<size_t>>& chunks) {
  Duplicates found;
  std::map<std::string, size_t> seen;  // a pair's hash -> its chunk
  std::map<std::vector<TokenId>, size_t> prompts;
  for (size_t c = 0; c < chunks.size(); ++c)
    for (const size_t i : chunks[c]) {
      const auto [place, fresh] = seen.emplace(content_hash({pairs[i]}), c);
      found.pairs += fresh ? 0 : 1;
      found.across_chunks += !fresh && place->second != c ? 1 : 0;
      const auto [prompt, first] = prompts.emplace(pairs[i].prompt, c);
      found.prompts_across += !first && prompt->second != c ? 1 : 0;
    }
  return found;
}

namespace {

// Mean and variance of the mean of gamma under the reference - gamma under the start model.
struct Shift {
  double mean = 0, variance = 0, count = 0;
};
Shift shift_of(const ScoredPairs& scored) {
  Shift shift;
  double squares = 0;
  for (size_t i = 0; i < scored.pairs.size(); ++i) {
    if (!is_pair(scored.pairs[i])) continue;
    const PairScore &after = scored.reference[i], &before = scored.start[i];
    const double value = (after.chosen - after.rejected) - (before.chosen - before.rejected);
    const double delta = value - shift.mean;
    shift.mean += delta / ++shift.count;
    squares += delta * (value - shift.mean);
  }
  if (shift.count > 1) shift.variance = squares / (shift.count - 1) / shift.count;
  return shift;
}

}  // namespace

OverfitCheck check_overfit(const ScoredPairs& chunk, const ScoredPairs& heldout) {
  const Shift seen = shift_of(chunk), unseen = shift_of(heldout);
  OverfitCheck check{.chunk_shift = seen.mean, .heldout_shift = unseen.mean};
  const double error = std::sqrt(seen.variance + unseen.variance);
  constexpr double kErrors = 4, kNats = 1;
  const double rise = seen.mean - unseen.mean;
  if (error > 0) check.standard_errors = rise / error;
  check.alarm =
      seen.count > 1 && unseen.count > 1 && check.standard_errors > kErrors && rise > kNats;
  return check;
}

OrderedJson OverfitCheck::json() const {
  return {{"chunk_shift", chunk_shift},
          {"heldout_shift", heldout_shift},
          {"standard_errors", standard_errors},
          {"alarm", alarm}};
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

RewardSummary compare(const std::vector<EncodedPreference>& pairs,
                      const std::vector<PairScore>& policy, const std::vector<PairScore>& reference,
                      double beta) {
  HELIO_CHECK(policy.size() == reference.size() && policy.size() == pairs.size(),
              "scores of the same pairs");
  RewardSummary sum;
  double with_chosen = 0, with_rejected = 0;
  for (size_t i = 0; i < policy.size(); ++i) {
    const double chosen = beta * (policy[i].chosen - reference[i].chosen);
    const double rejected = beta * (policy[i].rejected - reference[i].rejected);
    with_chosen += pairs[i].chosen.empty() ? 0 : 1;
    with_rejected += pairs[i].rejected.empty() ? 0 : 1;
    sum.chosen += chosen;
    sum.rejected += rejected;
    if (!is_pair(pairs[i])) continue;
    sum.accuracy.correct += chosen > rejected ? 1 : 0;
    ++sum.accuracy.of;
  }
  sum.chosen /= std::max(1.0, with_chosen);
  sum.rejected /= std::max(1.0, with_rejected);
  sum.margin = sum.chosen - sum.rejected;
  return sum;
}

OrderedJson accuracy_by_source(const std::vector<EncodedPreference>& pairs,
                               const std::vector<PairScore>& policy,
                               const std::vector<PairScore>& reference) {
  std::map<std::string, Accuracy> sources;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (!is_pair(pairs[i])) continue;
    Accuracy& accuracy = sources[pairs[i].source];
    ++accuracy.of;
    accuracy.correct +=
        policy[i].chosen - reference[i].chosen > policy[i].rejected - reference[i].rejected ? 1 : 0;
  }
  OrderedJson out = OrderedJson::object();
  for (const auto& [source, accuracy] : sources) out[source] = accuracy.json();
  return out;
}

Accuracy free_accuracy(const std::vector<EncodedPreference>& pairs,
                       const std::vector<PairScore>& scores) {
  Accuracy accuracy;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (!is_pair(pairs[i])) continue;
    ++accuracy.of;
    accuracy.correct += free_margin(pairs[i], scores[i]) > 0 ? 1 : 0;
  }
  return accuracy;
}

double mean_gamma(const std::vector<EncodedPreference>& pairs,
                  const std::vector<PairScore>& scores) {
  double sum = 0, count = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!is_pair(pairs[i])) continue;
    sum += scores[i].chosen - scores[i].rejected;
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

}  // namespace helio::train
