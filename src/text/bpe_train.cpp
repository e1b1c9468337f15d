#include "text/bpe_train.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "text/tokenizer/byte_letters.h"
#include "text/train/merge_training.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr Symbol kNoSymbol = ~Symbol(0);

std::string letter_of(size_t byte) {
  return to_utf8(std::u32string_view(&byte_letters()[byte], 1));
}

// The bytes that become tokens, in the order of their letters' code points.
std::vector<size_t> alphabet_of(const CountedWords& counted, int64_t least_count,
                                const BpeTrainOptions& options) {
  std::array<int64_t, 256> counts = {};
  if (options.first_tokens == FirstTokens::all_bytes && options.limit_alphabet == 0) counts.fill(1);
  else
    counted.for_each([&](std::string_view word, int64_t count) {
      if (count >= least_count)
        for (const char byte : word) counts[static_cast<uint8_t>(byte)] += count;
    });
  std::vector<size_t> bytes;
  for (size_t byte = 0; byte < 256; ++byte)
    if (counts[byte] > 0 || options.first_tokens == FirstTokens::all_bytes) bytes.push_back(byte);
  const auto by_letter = [](size_t a, size_t b) { return byte_letters()[a] < byte_letters()[b]; };
  std::sort(bytes.begin(), bytes.end(), by_letter);
  const auto limit = static_cast<size_t>(options.limit_alphabet);
  if (limit > 0 && bytes.size() > limit) {
    std::stable_sort(bytes.begin(), bytes.end(),
                     [&](size_t a, size_t b) { return counts[a] > counts[b]; });
    bytes.resize(limit);
    std::sort(bytes.begin(), bytes.end(), by_letter);
  }
  return bytes;
}

// The count from which on words are trained on, so that there are at most options.max_words.
int64_t least_count_of(const CountedWords& counted, const BpeTrainOptions& options) {
  if (options.max_words == 0 || counted.words <= options.max_words) return 1;
  std::map<int64_t, int64_t, std::greater<>> words;  // by their count
  counted.for_each([&](std::string_view, int64_t count) { ++words[count]; });
  int64_t least = 0, kept = 0;
  for (const auto& [count, number] : words) {
    if (kept + number > options.max_words) break;
    kept += number;
    least = count;
  }
  if (least == 0)
    throw Error(ErrorKind::invalid, "no words are left: more than " +
                                        std::to_string(options.max_words) + " occur equally often")
        .with_hint("give a larger --max-words");
  return least;
}

}  // namespace

TrainedBpe train_bpe(CountedWords counted, const BpeTrainOptions& options, Monitor& monitor,
                     const StopRequest& stop) {
  TrainedBpe trained;
  trained.least_count = least_count_of(counted, options);
  const auto alphabet = alphabet_of(counted, trained.least_count, options);
  const auto least = static_cast<int64_t>(options.special_tokens.size() + alphabet.size());
  if (options.vocab_size < least)
    throw Error(ErrorKind::invalid,
                "vocab_size " + std::to_string(options.vocab_size) + " is too small")
        .with_hint(std::to_string(alphabet.size()) +
                   " bytes and the special tokens need at least " + std::to_string(least));

  std::unordered_map<std::string, Symbol> ids;
  const auto id_of = [&](const std::string& token) {
    const auto [place, is_new] = ids.emplace(token, static_cast<Symbol>(trained.tokens.size()));
    if (is_new) trained.tokens.push_back(token);
    return place->second;
  };
  for (const auto& token : options.special_tokens) id_of(token);
  std::array<Symbol, 256> byte_ids;
  byte_ids.fill(kNoSymbol);
  for (const size_t byte : alphabet) byte_ids[byte] = id_of(letter_of(byte));

  SymbolWords words;
  std::vector<Symbol> symbols;
  counted.drain([&](std::string_view word, int64_t count) {
    if (count < trained.least_count) {
      ++trained.words_left_out;
      return;
    }
    ++trained.words;
    symbols.clear();
    for (const char byte : word)
      if (const Symbol id = byte_ids[static_cast<uint8_t>(byte)]; id != kNoSymbol)
        symbols.push_back(id);
    if (symbols.size() > 1) words.add(symbols, count);
  });
  MergeTrainingOptions merging{.tokens = options.vocab_size,
                               .min_frequency = options.min_frequency,
                               .threads = options.threads};
  if (options.max_token_length > 0)
    merging.accept = [most = std::max<int64_t>(3, options.max_token_length)](std::string_view token,
                                                                             Symbol, Symbol) {
      return count_code_points(token) < most;
    };
  for (const auto& rule : train_merges(std::move(words), trained.tokens, merging, monitor, stop))
    trained.merges.emplace_back(trained.tokens[rule.left], trained.tokens[rule.right]);
  return trained;
}

}  // namespace helio::text
