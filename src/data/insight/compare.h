// Two datasets document by document: what is only in one, what has another text, what became of it
// and why. Of a document 40 bytes are held in memory, and no text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"

namespace helio::data {

struct CompareOptions {
  size_t examples = 5;
};

// Kinds of documents, by id:
//   "same"            kept in both, same text
//   "text"            kept in both, another text
//   "kept_to_dropped" kept in A, dropped in B: by B's step and reason
//   "dropped_to_kept" dropped in A, kept in B: by A's step and reason
//   "both_dropped"    for the same reason in the same step
//   "other_reason"    dropped in both, but not so
//   "only_a_kept", "only_a_dropped", "only_b_kept", "only_b_dropped"
struct Comparison {
  struct Side {
    std::string path = {}, content = {};
    int64_t kept = 0, dropped = 0;
  };
  Side a = {}, b = {};
  std::map<std::string, int64_t> kinds = {};
  std::map<std::string, std::map<std::string, int64_t>> lots = {};  // lot, kind
  // kind, then "step: reason" or "step: reason -> step: reason"
  std::map<std::string, std::map<std::string, int64_t>> reasons = {};
  std::map<std::string, std::vector<std::string>> examples = {};  // kind: ids

  bool equal() const;
  OrderedJson json() const;
};

// Error{invalid} when one is no dataset or names a document twice.
Comparison compare_datasets(const std::filesystem::path& a, const std::filesystem::path& b,
                            const CompareOptions& options = {});

}  // namespace helio::data
