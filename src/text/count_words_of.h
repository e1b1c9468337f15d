// How often each word of a corpus occurs: what a tokenizer is trained on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "text/train/word_cutter.h"
#include "text/train/word_runs.h"
#include "text/train/word_table.h"

namespace helio::text {

// Files (see LineBatches). Of JSONL rows the text `field` is taken; with `split`, only of rows
// whose "split" is that.
struct WordSource {
  std::vector<std::filesystem::path> files = {};
  std::string field = "text", split = {};
  int64_t threads = 0;
  // Bytes the tables of words may take; beyond them sorted runs are written to `overflow`, a folder
  // that is made when it is needed and removed at the end. The counts stay exact. 0: no limit.
  uint64_t memory = 0;
  std::filesystem::path overflow = {};
};

struct CountedWords {
  WordTable table = {};                 // or, when they did not fit,
  std::unique_ptr<WordRuns> runs = {};  // all of them on the disk
  int64_t words = 0;                    // distinct ones
  int64_t documents = 0, bytes = 0;     // of text

  using Visit = std::function<void(std::string_view word, int64_t count)>;
  // In any order.
  void for_each(const Visit& visit) const;
  // The same for the last time: memory is freed on the way.
  void drain(const Visit& visit);
};

// Neither threads nor memory change the counts. Of several errors in the files the first is thrown.
CountedWords count_words_of(const WordSource& source, const WordCutter& cutter, Monitor& monitor,
                            const StopRequest& stop);

}  // namespace helio::text
