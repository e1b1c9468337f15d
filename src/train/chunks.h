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
// An example of unpaired data counts for its one answer, an undesirable one negatively.
double free_margin(const EncodedPreference& pair, const PairScore& score);
// The same of sums rather than means ("sum"), or as above ("per_token").
double free_margin(const EncodedPreference& pair, const PairScore& score, const std::string& ease);

// Indices of the pairs of each of `count` chunks, as equal in size as can be (the first ones one
// larger). "easy_to_hard": by falling margin; "hard_to_easy": by rising; "random": by the seed.
// Equal margins keep the order of the data. Fewer pairs than chunks is an error.
std::vector<std::vector<size_t>> make_chunks(const std::vector<double>& margins, int64_t count,
                                             const std::string& order, uint64_t seed);

// The paper's way: whole sources, ordered by the start model's reward accuracy (margin > 0; equal
// ones keep the order of the data), as `count` runs of them of about equal size. Fewer sources than
// chunks is an error.
std::vector<std::vector<size_t>> make_source_chunks(const std::vector<std::string>& sources,
                                                    const std::vector<double>& margins,
                                                    int64_t count, const std::string& order,
                                                    uint64_t seed);

// What stands in the data more than once. A reference that was trained on the pairs it is then
// measured on looks better than it is (the paper's Table: mean gamma of -25 became +84).
struct Duplicates {
  int64_t pairs = 0;           // that equal an earlier one, ids and all
  int64_t across_chunks = 0;   // of these: the earlier one is in another chunk
  int64_t prompts_across = 0;  // pairs whose prompt is also in an earlier chunk
};
Duplicates find_duplicates(const std::vector<EncodedPreference>& pairs,
                           const std::vector<std::vector<size_t>>& chunks);

// Did the reference see this chunk? Its gamma against the start model's, on the chunk and on held-
// out pairs: how much more it rose on the chunk, in nats and in standard errors of the difference.
struct OverfitCheck {
  double chunk_shift = 0, heldout_shift = 0, standard_errors = 0;
  bool alarm = false;  // above 4 standard errors and 1 nat
  OrderedJson json() const;
};
struct ScoredPairs {
  const std::vector<EncodedPreference>& pairs;
  const std::vector<PairScore>&reference, &start;
};
OverfitCheck check_overfit(const ScoredPairs& chunk, const ScoredPairs& heldout);

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
RewardSummary compare(const std::vector<EncodedPreference>& pairs,
                      const std::vector<PairScore>& policy, const std::vector<PairScore>& reference,
                      double beta);

// How often the model alone prefers the chosen answer (free_margin > 0).
// Accuracy of rewards by the pairs' source.
OrderedJson accuracy_by_source(const std::vector<EncodedPreference>& pairs,
                               const std::vector<PairScore>& policy,
                               const std::vector<PairScore>& reference);

Accuracy free_accuracy(const std::vector<EncodedPreference>& pairs,
                       const std::vector<PairScore>& scores);

// What follows is over pairs; examples of unpaired data have none of it.
// Mean of log p(chosen) - log p(rejected): the paper's gamma.
double mean_gamma(const std::vector<EncodedPreference>& pairs,
                  const std::vector<PairScore>& scores);

}  // namespace helio::train
