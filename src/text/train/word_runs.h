// Word counts that do not fit into memory: sorted runs on the disk, read back as one sorted stream.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "text/train/word_table.h"

namespace helio::text {

class WordRuns {
 public:
  using Visit = std::function<void(std::string_view word, int64_t count)>;

  // Files go into `dir`, which is made, and removed with everything in it at the end.
  explicit WordRuns(std::filesystem::path dir);
  ~WordRuns();
  WordRuns(const WordRuns&) = delete;
  WordRuns& operator=(const WordRuns&) = delete;

  // The file of a new run, to be written before merge(). Several threads may write at once.
  std::filesystem::path add();
  // Error{failed} when the disk is full.
  static void write(const WordTable& table, const std::filesystem::path& file);
  size_t runs() const { return runs_.size(); }

  // Makes one run of all; then for_each() may be called, as often as one likes. The words come in
  // the order of their bytes, each once. Returns how many there are.
  int64_t merge();
  void for_each(const Visit& visit) const;

 private:
  using Files = std::vector<std::filesystem::path>;
  static int64_t merge(const Files& runs, const std::filesystem::path& to);

  std::filesystem::path dir_;
  Files runs_ = {};
  int64_t made_ = 0;
};

}  // namespace helio::text
