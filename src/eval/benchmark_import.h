// Benchmark data that is there, that is missing, and that a user brings. Nothing is downloaded.
//
// The hash of a split is over what is asked, not over the file, so that Arrow and JSON lines of the
// same documents are equal. SHA-256 of, for each document in order (of all subjects, in the task's
// order): each choice as context U+001F continuation "\n", then the right choice's number (or the
// labels as 0s and 1s) and "\n"; of an answer in words: question U+001F answer "\n". No examples.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "eval/benchmark_data.h"

namespace helio::eval {

// What is published of a split.
struct SplitCheck {
  std::string split = {};
  int64_t rows = 0;
  std::string sha256 = {};  // empty: only the number is known
};

struct SplitState {
  enum class Kind { missing, published, counted, other, unknown };
  std::string split = {};
  Kind kind = Kind::missing;
  int64_t rows = 0;
  std::string sha256 = {}, says = {};  // says: for a reader
};

// Splits that a task asks and draws examples from.
std::vector<std::string> splits_of(const TaskSpec& spec);
// Error{invalid}: rows that the task cannot ask.
SplitState state_of(const TaskSpec& spec, BenchmarkData& data, const std::string& split);
// Where it comes from and how to bring it: lines for a reader.
std::vector<std::string> how_to_fetch(const TaskSpec& spec);

enum class OtherData { refuse, accept };  // data that is not what was published

// Puts a split into the benchmarks folder, from a file, or a folder in any layout that tasks read.
// Returns what was written. Error{invalid}: it is not what was published; Error{usage}: there is
// one already; Error{not_found}: the folder has none.
std::filesystem::path import_split(const TaskSpec& spec, const std::filesystem::path& from,
                                   const std::string& split,
                                   const std::filesystem::path& benchmarks, OtherData other);

}  // namespace helio::eval
