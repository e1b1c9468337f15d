#include "text/train/merge_training.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/parallel.h"
#include "text/train/merge_queue.h"
#include "text/train/pair_map.h"
#include "text/train/word_lists.h"

namespace helio::text {
namespace {

using Place = SymbolWords::Place;
using List = WordLists::List;

constexpr Place kNoPlace = UINT32_MAX;
// Below it, starting threads costs more than it saves.
constexpr size_t kWordsForThreads = 30000;
constexpr size_t kAhead = 12;  // words that are fetched before they are needed

// What a step changes, by the symbol that stands before or behind the merged pair: dense tables
// instead of a lookup by pair for each place.
struct Side {
  int64_t gain = 0, loss = 0;
  uint32_t words = 0;  // that gain it
  Place last = kNoPlace;
  List list = {};
  Place* fill = nullptr;
};
struct Neighbour {
  Side before = {}, behind = {};
  bool met = false;
};
struct Gain {
  Symbol symbol = 0;
  uint32_t is_before = 0;
  Place word = 0;
};
struct Changes {
  std::vector<Neighbour> of = {};  // by symbol
  std::vector<Symbol> met = {};
  std::vector<Gain> gains = {};  // one for each word and side

  Neighbour& at(Symbol symbol) {
    auto& neighbour = of[symbol];
    if (!neighbour.met) {
      neighbour.met = true;
      met.push_back(symbol);
    }
    return neighbour;
  }
  void clear() {
    for (const Symbol symbol : met) of[symbol] = {};
    met.clear();
    gains.clear();
  }
};

// HF's trainer step by step, because its results are the standard: pairs wait with the words they
// were seen in; a pair met again later waits a second time with the new words only; counts are not
// reset when a pair is merged.
class MergeTraining {
 public:
  MergeTraining(SymbolWords words, std::vector<std::string>& tokens,
                const MergeTrainingOptions& options)
      : words_(std::move(words)), tokens_(tokens), options_(options) {
    for (size_t i = 0; i < tokens_.size(); ++i) ids_.emplace(tokens_[i], static_cast<Symbol>(i));
    changes_.resize(static_cast<size_t>(std::max(1, options.threads)));
  }

  void count_pairs();
  std::vector<MergeRule> run(Monitor& monitor, const StopRequest& stop);

 private:
  Symbol id_of(std::string token) {
    const auto [place, is_new] = ids_.emplace(token, static_cast<Symbol>(tokens_.size()));
    if (is_new) tokens_.push_back(std::move(token));
    return place->second;
  }
  void merge(List list, const MergeRule& rule);
  void merge_words(const Place* words, size_t count, const MergeRule& rule, Changes& changes);
  void merge_word(Place place, const MergeRule& rule, Changes& changes);
  void join_changes(size_t used);
  void book(size_t used, const MergeRule& rule);

  SymbolWords words_;
  std::vector<std::string>& tokens_;
  const MergeTrainingOptions& options_;
  std::unordered_map<std::string, Symbol> ids_ = {};
  PairMap<int64_t> counts_ = {};
  WordLists lists_ = {};
  MergeQueue queue_ = {};
  std::vector<Changes> changes_ = {};  // of each thread
  uint32_t step_ = 0;
};

void MergeTraining::count_pairs() {
  struct Seen {
    Pair pair = 0;
    int64_t count = 0;
    uint32_t words = 0;
    Place last = kNoPlace;
    Place* fill = nullptr;
  };
  struct Part {
    PairMap<uint32_t> index = {};  // into `seen`, plus one
    std::vector<Seen> seen = {};
  };
  const size_t parts = changes_.size();
  std::vector<Part> found(parts);
  const auto for_each_pair = [&](size_t part, auto&& visit) {
    words_.for_each_of_part(part, parts, [&](Place place) {
      const auto word = words_.at(place);
      for (uint32_t i = 0; i + 1 < *word.size; ++i)
        visit(pair_of(word.symbols[i], word.symbols[i + 1]), place, word.count);
    });
  };
  const auto in_parts = [&](auto&& work) {
    parallel_slices(parts, static_cast<int>(parts), 1, [&](size_t begin, size_t end, int) {
      for (size_t part = begin; part < end; ++part) work(part);
    });
  };
  in_parts([&](size_t p) {
    Part& part = found[p];
    for_each_pair(p, [&](Pair pair, Place place, int64_t count) {
      uint32_t& index = part.index[pair];
      if (index == 0) {
        part.seen.push_back({.pair = pair});
        index = static_cast<uint32_t>(part.seen.size());
      }
      Seen& seen = part.seen[index - 1];
      seen.count += count;
      if (seen.last != place) ++seen.words;
      seen.last = place;
    });
  });
  // All parts in the first, whose lists then have room for the words of the others behind theirs.
  Part& all = found[0];
  std::vector<uint32_t> filled;
  for (size_t i = 0; i < all.seen.size(); ++i) filled.push_back(all.seen[i].words);
  for (size_t p = 1; p < parts; ++p)
    for (const Seen& seen : found[p].seen) {
      uint32_t& index = all.index[seen.pair];
      if (index == 0) {
        all.seen.push_back({.pair = seen.pair});
        filled.push_back(0);
        index = static_cast<uint32_t>(all.seen.size());
      }
      all.seen[index - 1].count += seen.count;
      all.seen[index - 1].words += seen.words;
    }
  std::vector<List> lists(all.seen.size());
  for (size_t i = 0; i < lists.size(); ++i) lists[i] = lists_.make(all.seen[i].words);
  for (size_t i = 0; i < lists.size(); ++i) {
    all.seen[i].fill = lists_.words(lists[i]);
    all.seen[i].last = kNoPlace;
  }
  for (size_t p = 1; p < parts; ++p)
    for (Seen& seen : found[p].seen) {
      const size_t i = all.index.get(seen.pair) - 1;
      seen.fill = lists_.words(lists[i]) + filled[i];
      seen.last = kNoPlace;
      filled[i] += seen.words;
    }
  in_parts([&](size_t p) {
    Part& part = found[p];
    for_each_pair(p, [&](Pair pair, Place place, int64_t) {
      Seen& seen = part.seen[part.index.get(pair) - 1];
      if (seen.last != place) *seen.fill++ = place;
      seen.last = place;
    });
  });
  for (size_t i = 0; i < lists.size(); ++i) {
    const Seen& seen = all.seen[i];
    counts_[seen.pair] = seen.count;
    if (seen.count > 0) queue_.push({seen.count, seen.pair, lists[i], step_});
  }
}

// Replaces left right by made, from the left, and notes what neighbours lose and gain.
void MergeTraining::merge_word(Place place, const MergeRule& rule, Changes& changes) {
  const auto word = words_.at(place);
  Symbol* const s = word.symbols;
  const uint32_t size = *word.size;
  const auto gain = [&](Side& side, Symbol symbol, uint32_t is_before) {
    side.gain += word.count;
    if (side.last == place) return;
    side.last = place;
    ++side.words;
    changes.gains.push_back({symbol, is_before, place});
  };
  uint32_t to = 0;
  for (uint32_t from = 0; from < size;) {
    if (s[from] != rule.left || from + 1 >= size || s[from + 1] != rule.right) {
      s[to++] = s[from++];
      continue;
    }
    if (to > 0) {
      const Symbol symbol = s[to - 1];
      Side& side = changes.at(symbol).before;
      side.loss += word.count;
      gain(side, symbol, 1);
    }
    if (from + 2 < size) {
      const Symbol symbol = s[from + 2];
      Neighbour& neighbour = changes.at(symbol);
      neighbour.behind.loss += word.count;
      // made made is one pair, whichever of the two was there first.
      if (symbol == rule.made) gain(neighbour.before, symbol, 1);
      else gain(neighbour.behind, symbol, 0);
    }
    s[to++] = rule.made;
    from += 2;
  }
  *word.size = to;
}

void MergeTraining::merge_words(const Place* words, size_t count, const MergeRule& rule,
                                Changes& changes) {
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) words_.prefetch(words[i + kAhead]);
    merge_word(words[i], rule, changes);
  }
}

void MergeTraining::merge(List list, const MergeRule& rule) {
  const size_t count = lists_.size(list);
  const Place* const words = lists_.words(list);
  const size_t used = count < kWordsForThreads ? 1 : changes_.size();
  for (size_t i = 0; i < used; ++i) changes_[i].of.resize(tokens_.size());
  const size_t slice = (count + used - 1) / used;
  parallel_slices(count, static_cast<int>(used), slice, [&](size_t begin, size_t end, int) {
    merge_words(words + begin, end - begin, rule, changes_[begin / slice]);
  });
  lists_.drop(list);
  join_changes(used);
  book(used, rule);
  for (size_t i = 0; i < used; ++i) changes_[i].clear();
}

// Sums of all threads in the first.
void MergeTraining::join_changes(size_t used) {
  for (size_t i = 1; i < used; ++i)
    for (const Symbol symbol : changes_[i].met) {
      Neighbour& to = changes_[0].at(symbol);
      const Neighbour& from = changes_[i].of[symbol];
      for (const auto side : {&Neighbour::before, &Neighbour::behind}) {
        (to.*side).gain += (from.*side).gain;
        (to.*side).loss += (from.*side).loss;
        (to.*side).words += (from.*side).words;
      }
    }
}

void MergeTraining::book(size_t used, const MergeRule& rule) {
  Changes& all = changes_[0];
  const auto change = [&](Pair pair, int64_t by) {
    if (by != 0) counts_[pair] += by;
  };
  for (const Symbol symbol : all.met) {
    const Neighbour& n = all.of[symbol];
    change(pair_of(symbol, rule.left), -n.before.loss);
    change(pair_of(rule.right, symbol), -n.behind.loss);
    change(pair_of(symbol, rule.made), n.before.gain);
    change(pair_of(rule.made, symbol), n.behind.gain);
  }
  for (const Symbol symbol : all.met)
    for (const auto side : {&Neighbour::before, &Neighbour::behind}) {
      Side& s = all.of[symbol].*side;
      if (s.words == 0) continue;
      s.list = lists_.make(s.words);
      s.fill = lists_.words(s.list);
    }
  for (size_t i = 0; i < used; ++i)
    for (const Gain& gain : changes_[i].gains) {
      auto& n = all.of[gain.symbol];
      *(gain.is_before ? n.before : n.behind).fill++ = gain.word;
    }
  const auto enqueue = [&](Pair pair, const Side& side) {
    if (side.words == 0) return;
    const int64_t count = counts_.get(pair);
    if (count > 0) queue_.push({count, pair, side.list, step_});
    else lists_.drop(side.list);
  };
  for (const Symbol symbol : all.met) {
    enqueue(pair_of(symbol, rule.made), all.of[symbol].before);
    enqueue(pair_of(rule.made, symbol), all.of[symbol].behind);
  }
}

std::vector<MergeRule> MergeTraining::run(Monitor& monitor, const StopRequest& stop) {
  const auto first = static_cast<int64_t>(tokens_.size());
  monitor.begin("merges", std::max<int64_t>(0, options_.tokens - first), "merges");
  std::vector<MergeRule> rules;
  WaitingPair top;
  while (static_cast<int64_t>(tokens_.size()) < options_.tokens && queue_.pop(top)) {
    const int64_t now = counts_.get(top.pair);
    if (top.count != now) {
      // Stale. A pair that is gone leaves: to HF it would end the training once it came up, but
      // nothing frequent enough could come up after it either.
      top.count = now;
      if (now > 0) queue_.push(top);
      else lists_.drop(top.words);
      continue;
    }
    if (top.count < std::max<int64_t>(1, options_.min_frequency)) break;
    const auto left = static_cast<Symbol>(top.pair >> 32), right = static_cast<Symbol>(top.pair);
    std::string token = tokens_[left] + tokens_[right];
    if (options_.accept && !options_.accept(token, left, right)) {
      lists_.drop(top.words);
      continue;
    }
    rules.push_back({left, right, id_of(std::move(token)), top.count});
    ++step_;
    merge(top.words, rules.back());
    if (step_ % 64 == 0) {
      stop.check();
      monitor.at(static_cast<int64_t>(tokens_.size()) - first);
    }
  }
  monitor.end();
  return rules;
}

std::vector<MergeRule> without_repeated(const std::vector<MergeRule>& rules) {
  std::unordered_map<Pair, size_t> last;
  for (size_t i = 0; i < rules.size(); ++i) last[pair_of(rules[i].left, rules[i].right)] = i;
  std::vector<MergeRule> kept;
  for (size_t i = 0; i < rules.size(); ++i)
    if (last.at(pair_of(rules[i].left, rules[i].right)) == i) kept.push_back(rules[i]);
  return kept;
}

}  // namespace

std::vector<MergeRule> train_merges(SymbolWords words, std::vector<std::string>& tokens,
                                    const MergeTrainingOptions& options, Monitor& monitor,
                                    const StopRequest& stop) {
  MergeTraining training(std::move(words), tokens, options);
  training.count_pairs();
  return without_repeated(training.run(monitor, stop));
}

}  // namespace helio::text
