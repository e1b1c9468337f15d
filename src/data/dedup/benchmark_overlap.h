// Which items of a benchmark share runs of words with training text: GPT-3's 13-grams, on the
// simplified words that decontaminate.ngrams compares (simplify.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helio::data {

struct OverlapItem {
  std::string id = {};
  std::vector<std::string> texts = {};  // what is asked; one a choice
};

struct ItemOverlap {
  int64_t words = 0;                     // of its longest text; fewer than a run: it cannot be told
  int64_t runs = 0;                      // different runs of it that were found
  double share = 0;                      // of the words of the text that is covered most
  std::string document = {}, text = {};  // the first find: where, and the run in simplified words
};

class BenchmarkOverlap {
 public:
  // `run`: words in a run, at least 1.
  BenchmarkOverlap(const std::vector<OverlapItem>& items, size_t run);

  // Looks for every item's runs in a document's text.
  void add(const std::string& document, std::string_view text);
  // One an item, in their order, for what was added so far.
  std::vector<ItemOverlap> items() const;

 private:
  struct Place {
    uint64_t hash = 0;
    uint32_t text = 0, word = 0;  // of texts_; where the run begins
  };
  struct Text {
    uint32_t item = 0;
    std::vector<bool> covered = {};  // by word
  };

  size_t run_;
  std::vector<Place> places_ = {};  // by hash
  std::vector<Text> texts_ = {};
  std::vector<ItemOverlap> found_ = {};
  std::vector<bool> maybe_, seen_;  // whether any run falls there; places whose run was found
};

// Takes off what all texts begin with, up to the end of a line: descriptions that a task puts
// before each item are no overlap. Nothing is taken from fewer than three items.
void drop_common_beginning(std::vector<OverlapItem>& items);

}  // namespace helio::data
