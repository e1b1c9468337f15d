// helio align build-pairs: preference pairs from prompts and answers, each with where it came from.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/monitor.h"
#include "engine/pairs/judge.h"
#include "engine/pairs/questions.h"

namespace helio::engine {

struct BuildPairsOptions {
  std::string prompts = {}, answers = {}, chosen = {}, rejected = {}, model = {}, out = {};
  std::string judge = {}, judge_reference = {};
  std::vector<std::string> benchmarks = {};
  bool decontaminate = true;
  int64_t n_grams = 13, n = 4, max_length = 1024, max_new_tokens = 256, seed = 0, threads = 0;
  double min_gap = 0, temperature = 1, top_p = 1;
  eval::EndpointOptions endpoint = {};
  void describe(Fields& f);
};

struct PairCounts {
  int64_t prompts = 0, pairs = 0, from_journal = 0, unmatched = 0;
  std::map<std::string, int64_t> left_out = {};  // "contaminated", "tied", "empty_side", ...
  std::map<std::string, int64_t, std::less<>> contaminated_by = {};  // item -> prompts of this run
  OrderedJson json() const;
};

// The pair of a question whose answers have scores: the best against the worst. `reason` says why
// there is none: "few_answers", "unjudged" (fewer than two scores), "tied" (the scores lie no
// further apart than `min_gap`), "empty_side", "equal_sides". With equal scores the first counts.
struct ChosenPair {
  size_t chosen = 0, rejected = 0;
  std::string reason = {};
};
ChosenPair choose_pair(const Question& question, const std::vector<std::optional<double>>& scores,
                       double min_gap);

// Writes OUT: {"id", "prompt", "chosen", "rejected", "source", "provenance"} a line, as helio align
// reads it. What is known of a prompt is kept in OUT.journal until OUT is whole: the same command
// goes on from there. Error{usage, invalid}: options without meaning; Error{interrupted}.
PairCounts build_pairs(const BuildPairsOptions& options, Monitor& monitor, const StopRequest& stop);

}  // namespace helio::engine
