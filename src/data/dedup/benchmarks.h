// Items of evaluation benchmarks, which training text must not hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace helio::data {

struct BenchmarkItem {
  std::string name = {};   // "gsm8k/test.jsonl.gz:12": file below the path given, and line
  std::string query = {};  // the fields that come before the answer
  std::string text = {};   // the fields looked for
};

struct BenchmarkFields {
  std::vector<std::string> query = {};
  std::vector<std::string> text = {};  // empty: every text of an item
};

// Rows of JSONL files (.jsonl, .jsonl.gz, .jsonl.zst), of all in a folder when a path is one. A
// field is a name or a path of names ("choices.text"); of lists and maps all texts count. Error
// when a path has no such file, or when no item has any of the fields.
std::vector<BenchmarkItem> read_benchmarks(const std::vector<std::string>& paths,
                                           const BenchmarkFields& fields);

}  // namespace helio::data
