// Growing merges over words, in the order in which HF tokenizers' BpeTrainer grows them. What the
// first tokens are (bytes, characters, a whole vocabulary) is the caller's choice.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/monitor.h"
#include "text/train/symbol_words.h"

namespace helio::text {

struct MergeRule {
  Symbol left = 0, right = 0;
  Symbol made = 0;    // left and right side by side; may be an older token that reads the same
  int64_t count = 0;  // how often the pair occurred when it was merged
  bool operator==(const MergeRule&) const = default;
};

struct MergeTrainingOptions {
  int64_t tokens = 0;  // ends when there are as many
  int64_t min_frequency = 1;
  int threads = 1;  // do not change the result
  // Whether a token may be made of two others; empty: every one.
  std::function<bool(std::string_view token, Symbol left, Symbol right)> accept = {};
};

// The most frequent pair of neighbours is merged, of equals the one with the smaller left, then
// right symbol, until there are options.tokens tokens or no pair occurs min_frequency times.
// `tokens`, which must be distinct, are what the symbols of `words` mean; new ones go behind them.
// A pair merged twice (it came up again through another rule) is listed once, at its later place,
// as in HF's table of merges. Error{interrupted} when stopped.
std::vector<MergeRule> train_merges(SymbolWords words, std::vector<std::string>& tokens,
                                    const MergeTrainingOptions& options, Monitor& monitor,
                                    const StopRequest& stop);

}  // namespace helio::text
