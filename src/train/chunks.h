// The arithmetic of stepwise DPO: which pairs each step learns from, and how well it did.
// Torch-free.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"
#include "train/preferences.h"

namespace helio::train {

// How clearly a model prefers the chosen answer, without any reference:
//   log p(chosen) / |chosen| - log p(rejected) / |rejected|      (nats a token, |.| in tokens)
// The sDPO paper (Kim et al. 2024, section 3.3) orders whole data sets by the start model's reward
// accuracy; measured against itself that reward is 0 for every pair, so it has to be free of a
// reference, and here it orders single pairs. Dividing by length keeps long answers from deciding.
double free_margin(const EncodedPreference& pair, const PairScore& score);

// Indices of the pairs of each of `count` chunks, as equal in size as can be (the first ones one
// larger). "easy_to_hard": by falling margin; "hard_to_easy": by rising; "random": by the seed.
// Equal margins keep the order of the data. Fewer pairs than chunks is an error.
std::vector<std::vector<size_t>> make_chunks(const std::vector<double>& margins, int64_t count,
                                             const std::string& order, uint64_t seed);

// A share with the counts behind it and its Wilson 95 % interval.
struct Accuracy {
  int64_t correct = 0, of = 0;
  OrderedJson json() const;  // {"correct", "of", "share", "low", "high"}
};

// Rewards beta * (log p - log p under the reference) over pairs, TRL's way: a tie counts as wrong.
struct RewardSummary {
  double chosen = 0, rejected = 0, margin = 0;  // means
  Accuracy accuracy = {};
  OrderedJson json() const;
};
RewardSummary compare(const std::vector<PairScore>& policy, const std::vector<PairScore>& reference,
                      double beta);

// How often the model alone prefers the chosen answer (free_margin > 0).
Accuracy free_accuracy(const std::vector<EncodedPreference>& pairs,
                       const std::vector<PairScore>& scores);

// Mean of log p(chosen) - log p(rejected): the paper's gamma.
double mean_gamma(const std::vector<PairScore>& scores);

}  // namespace helio::train
