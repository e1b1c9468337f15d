#include "text/bpe_train.h"

#include <algorithm>
#include <queue>

#include "core/error.h"
#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/split_known.h"
#include "text/utf8.h"

namespace helio::text {

using Symbol = uint32_t;
using Pair = uint64_t;  // left id in the upper half: pairs compare by left, then right

// What HF's trainer does, step by step, because its results are the standard: pairs wait in a heap
// with the words they were seen in; a pair met again later waits a second time with the new words
// only; counts are not reset when a pair is merged.
struct BpeTraining {
  struct Word {
    size_t begin = 0;  // in `symbols`
    uint32_t size = 0;
    int64_t count = 0;
  };
  struct Waiting {
    int64_t count = 0;
    Pair pair = 0;
    uint64_t order = 0;  // of arrival; only decides between two entries of the same pair
    size_t places = 0;   // index into `places`
    bool operator<(const Waiting& other) const {
      if (count != other.count) return count < other.count;
      if (pair != other.pair) return pair > other.pair;
      return order > other.order;
    }
  };

  const BpeTrainOptions& options;
  TrainedBpe trained = {};
  std::unordered_map<std::string, Symbol> ids = {};
  std::vector<Symbol> symbols = {};
  std::vector<Word> words = {};
  std::unordered_map<Pair, int64_t> counts = {};
  std::vector<std::vector<uint32_t>> places = {};  // of each waiting pair: indices of words
  std::vector<size_t> free_places = {};
  std::unordered_map<Pair, size_t> fresh = {};  // pairs met in this step: their places
  std::vector<Pair> fresh_order = {};
  std::priority_queue<Waiting> heap = {};
  uint64_t arrivals = 0;

  explicit BpeTraining(const BpeTrainOptions& o) : options(o) {}

  static Pair pair_of(Symbol left, Symbol right) { return (static_cast<Pair>(left) << 32) | right; }

  Symbol id_of(const std::string& token) {
    const auto [place, is_new] = ids.emplace(token, static_cast<Symbol>(trained.tokens.size()));
    if (is_new) trained.tokens.push_back(token);
    return place->second;
  }

  void start(const WordCounts& counted) {
    for (const auto& token : options.special_tokens) id_of(token);
    // The alphabet in the order of its letters' code points.
    auto letters = byte_letters();
    std::sort(letters.begin(), letters.end());
    for (const char32_t letter : letters) id_of(to_utf8(std::u32string_view(&letter, 1)));
    Symbol byte_ids[256];
    for (size_t byte = 0; byte < 256; ++byte)
      byte_ids[byte] = ids.at(to_utf8(std::u32string_view(&byte_letters()[byte], 1)));

    // In the order of their bytes: a hash table's order must not reach the memory's layout.
    std::vector<std::pair<std::string_view, int64_t>> sorted(counted.counts_.begin(),
                                                             counted.counts_.end());
    std::sort(sorted.begin(), sorted.end());
    if (sorted.size() >= (uint64_t(1) << 32))
      throw Error(ErrorKind::failed, "more than 4 billion distinct words")
          .with_hint("train on a sample");
    words.reserve(sorted.size());
    for (const auto& [word, count] : sorted) {
      words.push_back({symbols.size(), static_cast<uint32_t>(word.size()), count});
      for (const char byte : word) symbols.push_back(byte_ids[static_cast<uint8_t>(byte)]);
    }
  }

  void meet(Pair pair, uint32_t word) {
    const auto [place, is_new] = fresh.emplace(pair, 0);
    if (is_new) {
      if (free_places.empty()) {
        place->second = places.size();
        places.emplace_back();
      } else {
        place->second = free_places.back();
        free_places.pop_back();
      }
      fresh_order.push_back(pair);
    }
    auto& list = places[place->second];
    if (list.empty() || list.back() != word) list.push_back(word);
  }

  void enqueue_fresh() {
    for (const Pair pair : fresh_order) {
      const size_t place = fresh.at(pair);
      const int64_t count = counts.at(pair);
      if (count > 0) {
        heap.push({count, pair, arrivals++, place});
      } else {
        places[place].clear();
        free_places.push_back(place);
      }
    }
    fresh.clear();
    fresh_order.clear();
  }

  void count_pairs() {
    for (uint32_t w = 0; w < words.size(); ++w) {
      const Word& word = words[w];
      for (uint32_t i = 0; i + 1 < word.size; ++i) {
        const Pair pair = pair_of(symbols[word.begin + i], symbols[word.begin + i + 1]);
        counts[pair] += word.count;
        meet(pair, w);
      }
    }
    enqueue_fresh();
    fresh = {};  // its table of all pairs would be swept at every step
  }

  // Replaces left right by made, from the left, and books what neighbours lose and gain.
  void merge_in(uint32_t w, Symbol left, Symbol right, Symbol made) {
    Word& word = words[w];
    Symbol* const s = symbols.data() + word.begin;
    uint32_t to = 0;
    for (uint32_t from = 0; from < word.size;) {
      if (s[from] != left || from + 1 >= word.size || s[from + 1] != right) {
        s[to++] = s[from++];
        continue;
      }
      if (to > 0) {
        counts[pair_of(s[to - 1], left)] -= word.count;
        gain(pair_of(s[to - 1], made), w);
      }
      if (from + 2 < word.size) {
        counts[pair_of(right, s[from + 2])] -= word.count;
        gain(pair_of(made, s[from + 2]), w);
      }
      s[to++] = made;
      from += 2;
    }
    word.size = to;
  }

  void gain(Pair pair, uint32_t w) {
    counts[pair] += words[w].count;
    meet(pair, w);
  }

  void run(Monitor& monitor, const StopRequest& stop) {
    const auto first = static_cast<int64_t>(trained.tokens.size());
    monitor.begin("merges", std::max<int64_t>(0, options.vocab_size - first), "merges");
    int64_t steps = 0;
    while (static_cast<int64_t>(trained.tokens.size()) < options.vocab_size && !heap.empty()) {
      Waiting top = heap.top();
      heap.pop();
      const int64_t now = counts.at(top.pair);
      if (top.count != now) {
        // Stale. A pair that is gone leaves: to HF it would end the training once it came up, but
        // nothing frequent enough could come up after it either.
        if (now > 0) {
          top.count = now;
          heap.push(top);
        }
        continue;
      }
      if (top.count < std::max<int64_t>(1, options.min_frequency)) break;
      const auto left = static_cast<Symbol>(top.pair >> 32), right = static_cast<Symbol>(top.pair);
      trained.merges.emplace_back(trained.tokens[left], trained.tokens[right]);
      const Symbol made = id_of(trained.tokens[left] + trained.tokens[right]);
      std::vector<uint32_t> where = std::move(places[top.places]);
      places[top.places].clear();
      free_places.push_back(top.places);
      for (const uint32_t w : where) merge_in(w, left, right, made);
      enqueue_fresh();
      if (++steps % 64 == 0) {
        stop.check();
        monitor.at(static_cast<int64_t>(trained.tokens.size()) - first);
      }
    }
    monitor.end();
  }

  // A pair merged twice keeps its later rank, as in HF's table of merges.
  void drop_repeated_merges() {
    std::vector<std::pair<std::string, std::string>> kept;
    std::unordered_map<std::string, size_t> last;
    const auto key = [](const auto& merge) { return merge.first + " " + merge.second; };
    for (size_t i = 0; i < trained.merges.size(); ++i) last[key(trained.merges[i])] = i;
    for (size_t i = 0; i < trained.merges.size(); ++i)
      if (last.at(key(trained.merges[i])) == i) kept.push_back(std::move(trained.merges[i]));
    trained.merges = std::move(kept);
  }
};

void WordCounts::add(std::string_view text) {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = repair_utf8(text);
  pieces_.clear();
  if (pattern_ == Pattern::gpt2) split_gpt2(text, pieces_);
  else split_llama3(text, pieces_);
  for (const auto piece : pieces_) {
    const auto found = counts_.find(piece);
    if (found != counts_.end()) ++found->second;
    else counts_.emplace(piece, 1);
  }
}

void WordCounts::add(const WordCounts& other) {
  for (const auto& [word, count] : other.counts_) counts_[word] += count;
}

TrainedBpe train_bpe(const WordCounts& words, const BpeTrainOptions& options, Monitor& monitor,
                     const StopRequest& stop) {
  const auto least = static_cast<int64_t>(options.special_tokens.size()) + 256;
  if (options.vocab_size < least)
    throw Error(ErrorKind::invalid,
                "vocab_size " + std::to_string(options.vocab_size) + " is too small")
        .with_hint("256 bytes and the special tokens need at least " + std::to_string(least));
  BpeTraining training(options);
  training.start(words);
  training.count_pairs();
  training.run(monitor, stop);
  training.drop_repeated_merges();
  return std::move(training.trained);
}

}  // namespace helio::text
