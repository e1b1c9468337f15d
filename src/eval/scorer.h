// Scoring of outputs that somebody has: no model is asked. `helio eval score`.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::eval {

class Scorer {
 public:
  virtual ~Scorer() = default;
  // Scores one row of the responses file: the line to print for it, or null for a row that only
  // counts with others. A row that fits no item is an Error.
  virtual OrderedJson score(const Json& row) = 0;
  // Figures over the rows so far. Keys `task`, `variant`, `n`, `total` (items of the benchmark),
  // then the task's own.
  virtual OrderedJson summary() const = 0;
};

struct ScorerOptions {
  std::string variant = {};     // empty: the task's first
  std::string benchmarks = {};  // the folder of benchmark data
};

struct ScorerEntry {
  std::string task = {};
  std::vector<std::string> variants = {};  // the first is the default
  std::unique_ptr<Scorer> (*make)(const ScorerOptions& options) = nullptr;
};
const std::vector<ScorerEntry>& scorers();  // in name order

// Checks the names first: an unknown task or variant is an Error{usage} that lists what there is.
std::unique_ptr<Scorer> make_scorer(const std::string& task, const ScorerOptions& options);

// A field of a row, or an Error that names it.
std::string row_text(const Json& row, const char* name);

// DIR/NAME or DIR/NAME.gz or .zst, whichever exists; an Error{not_found} that says what to put
// there.
std::filesystem::path benchmark_file(const std::string& folder, const std::string& name);

std::unique_ptr<Scorer> make_eq_bench_scorer(const ScorerOptions& options);
std::unique_ptr<Scorer> make_gsm8k_scorer(const ScorerOptions& options);
std::unique_ptr<Scorer> make_mt_bench_scorer(const ScorerOptions& options);
std::unique_ptr<Scorer> make_ifeval_scorer(const ScorerOptions& options);

}  // namespace helio::eval
