// Two models on the same items: how much better is one, how sure is that, and which items changed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::eval {

// One model's scores in an evaluation folder.
struct Compared {
  std::filesystem::path folder = {};
  std::string model = {};  // empty: the folder's only one
};

struct CompareOptions {
  int64_t resamples = 10000;
  int64_t seed = 1234;
};

// What an item scored in a task's main metric: value over weight.
struct PairedItem {
  std::string doc = {};
  double a = 0, b = 0, weight = 1;
};

struct PairedResult {
  double a = 0, b = 0, difference = 0;  // b - a
  double low = 0, high = 0;             // 95 %, by resampling items (Efron's percentiles)
  // Where items are right or wrong: those only A, only B has right, and McNemar's exact p-value
  // (two-sided sign test on them).
  bool binary = false;
  std::vector<std::string> only_a = {}, only_b = {};
  double p_value = 1;
};
PairedResult compare_items(const std::vector<PairedItem>& items, const CompareOptions& options);

// {"a", "b", "tasks": [...]}: a task that only one has, or that asked the two differently, says so.
// Error{not_found}, Error{invalid}: not an evaluation's folder; Error{usage}: several models in it,
// none named.
OrderedJson compare_evaluations(const Compared& a, const Compared& b,
                                const CompareOptions& options);

}  // namespace helio::eval
