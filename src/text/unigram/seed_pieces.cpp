#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "core/parallel.h"
#include "text/unigram/pieces.h"

namespace helio::text::unigram {
namespace {

// A substring of the row: how much text it covers, and where it stands among the sorted suffixes,
// which says how its symbols compare with another's.
struct Candidate {
  uint64_t score = 0;
  uint32_t left = 0, depth = 0;
  bool operator>(const Candidate& other) const {
    if (score != other.score) return score > other.score;
    if (left != other.left) return left > other.left;
    return depth > other.depth;
  }
};

class SuffixSort {
 public:
  SuffixSort(const std::vector<Symbol>& row, size_t depth) : row_(row), depth_(depth) {}

  // Sorts places whose suffixes share their first `at` symbols.
  void sort(std::span<uint32_t> places, size_t at) const {
    while (places.size() > 1 && at < depth_) {
      if (places.size() <= kFew) return sort_few(places, at);
      const Symbol pivot = median(places, at);
      size_t less = 0, more = places.size();
      for (size_t i = 0; i < more;) {
        const Symbol symbol = row_[places[i] + at];
        if (symbol < pivot) std::swap(places[less++], places[i++]);
        else if (symbol > pivot) std::swap(places[i], places[--more]);
        else ++i;
      }
      sort(places.first(less), at);
      sort(places.subspan(more), at);
      places = places.subspan(less, more - less);
      if (pivot == kEnd) return;  // equal to their ends
      ++at;
    }
  }

  // Symbols that two suffixes share, the end of a word counted, but nothing behind it.
  size_t shared(uint32_t a, uint32_t b) const {
    size_t n = 0;
    while (n < depth_ && row_[a + n] == row_[b + n])
      if (row_[a + n++] == kEnd) break;
    return n;
  }

 private:
  static constexpr size_t kFew = 12;

  // Of three places all over, so that no order of words is a bad one.
  Symbol median(std::span<const uint32_t> places, size_t at) const {
    const auto some = [&](uint64_t i) {
      const uint64_t mixed = (places.size() + at + i) * 0x9E3779B97F4A7C15ULL;
      return row_[places[(mixed >> 20) % places.size()] + at];
    };
    const Symbol a = some(0), b = some(1), c = some(2);
    return std::max(std::min(a, b), std::min(std::max(a, b), c));
  }
  void sort_few(std::span<uint32_t> places, size_t at) const {
    for (size_t i = 1; i < places.size(); ++i)
      for (size_t j = i; j > 0 && less(places[j], places[j - 1], at); --j)
        std::swap(places[j], places[j - 1]);
  }
  bool less(uint32_t a, uint32_t b, size_t at) const {
    for (; at < depth_; ++at) {
      const Symbol x = row_[a + at], y = row_[b + at];
      if (x != y) return x < y;
      if (x == kEnd) return false;
    }
    return false;
  }

  const std::vector<Symbol>& row_;
  size_t depth_;
};

// The best candidates so far; what cannot be among them any more is dropped now and then.
class BestCandidates {
 public:
  explicit BestCandidates(size_t wanted) : wanted_(wanted) {}
  void add(const std::vector<Candidate>& some) {
    const std::lock_guard lock(guard_);
    all_.insert(all_.end(), some.begin(), some.end());
    if (all_.size() > 2 * wanted_ + 1'000'000) cut();
  }
  std::vector<Candidate> take() {
    cut();
    std::sort(all_.begin(), all_.end(), std::greater<>());
    return std::move(all_);
  }

 private:
  void cut() {
    if (all_.size() <= wanted_) return;
    std::nth_element(all_.begin(), all_.begin() + static_cast<ptrdiff_t>(wanted_), all_.end(),
                     std::greater<>());
    all_.resize(wanted_);
  }
  size_t wanted_;
  std::mutex guard_ = {};
  std::vector<Candidate> all_ = {};
};

// Inner nodes of the suffix tree over sorted places, the first of which is number `offset`.
void find_nodes(std::span<const uint32_t> places, uint32_t offset, const SuffixSort& suffixes,
                const std::vector<Symbol>& row, size_t max_length, BestCandidates& best) {
  struct Open {
    uint32_t left = 0;
    size_t depth = 0;
  };
  std::vector<Open> open;
  std::vector<Candidate> found;
  for (uint32_t i = 1; i <= places.size(); ++i) {
    const size_t depth = i == places.size() ? 0 : suffixes.shared(places[i - 1], places[i]);
    uint32_t left = i - 1;
    while (!open.empty() && open.back().depth > depth) {
      const Open node = open.back();
      open.pop_back();
      left = node.left;
      if (node.depth >= 2 && node.depth <= max_length && row[places[left] + node.depth - 1] != kEnd)
        found.push_back({.score = uint64_t(i - left) * node.depth,
                         .left = offset + left,
                         .depth = static_cast<uint32_t>(node.depth)});
    }
    if (depth > 0 && (open.empty() || open.back().depth < depth)) open.push_back({left, depth});
    if (found.size() >= 65536) {
      best.add(found);
      found.clear();
    }
  }
  best.add(found);
}

// Every character with how often it occurs in the text: the most frequent first, of equals the
// larger.
std::vector<std::pair<int64_t, Symbol>> count_characters(const TrainingWords& words) {
  std::vector<std::pair<int64_t, Symbol>> counts(words.symbols());
  for (Symbol symbol = 0; symbol < counts.size(); ++symbol) counts[symbol].second = symbol;
  for (size_t i = 0; i < words.size(); ++i)
    for (const Symbol symbol : words.word(i)) counts[symbol].first += words.count(i);
  counts.erase(counts.begin());  // the end of words
  std::sort(counts.begin(), counts.end(), std::greater<>());
  return counts;
}

// Scores to logarithms of shares; ranks by symbols.
Pieces with_scores(const std::vector<std::span<const Symbol>>& texts, std::vector<double> scores) {
  double sum = 0;
  for (const double score : scores) sum += score;
  const double log_sum = std::log(sum);
  std::vector<uint32_t> sorted(texts.size()), ranks(texts.size());
  std::iota(sorted.begin(), sorted.end(), 0U);
  std::sort(sorted.begin(), sorted.end(), [&](uint32_t a, uint32_t b) {
    return std::lexicographical_compare(texts[a].begin(), texts[a].end(), texts[b].begin(),
                                        texts[b].end());
  });
  for (uint32_t rank = 0; rank < sorted.size(); ++rank) ranks[sorted[rank]] = rank;
  Pieces pieces;
  for (size_t i = 0; i < texts.size(); ++i)
    pieces.add(texts[i], std::log(scores[i]) - log_sum, ranks[i]);
  return pieces;
}

}  // namespace

Pieces seed_pieces(const TrainingWords& words, size_t max_length, size_t seed_size, int threads,
                   const StopRequest& stop) {
  const auto& row = words.row();
  const SuffixSort suffixes(row, max_length + 1);
  // By first symbol: each has its own part of the sorted suffixes.
  std::vector<uint32_t> begins(words.symbols() + 1, 0);
  for (const Symbol symbol : row) ++begins[symbol];
  begins[kEnd] = 0;  // suffixes that begin with an end have no piece
  uint32_t total = 0;
  for (auto& begin : begins) total += std::exchange(begin, total);
  std::vector<uint32_t> places(total);
  {
    auto next = begins;
    for (uint32_t i = 0; i < row.size(); ++i)
      if (row[i] != kEnd) places[next[row[i]]++] = i;
  }
  const auto characters = count_characters(words);
  const size_t wanted =
      std::max<size_t>(1, seed_size > characters.size() ? seed_size - characters.size() : 0);
  BestCandidates best(wanted);
  parallel_slices(words.symbols(), threads, 1, [&](size_t begin, size_t end, int) {
    for (size_t symbol = begin; symbol < end; ++symbol) {
      stop.check();
      const auto part =
          std::span(places).subspan(begins[symbol], begins[symbol + 1] - begins[symbol]);
      suffixes.sort(part, 1);
      find_nodes(part, begins[symbol], suffixes, row, max_length, best);
    }
  });
  std::vector<std::span<const Symbol>> texts;
  std::vector<double> scores;
  std::vector<Symbol> singles;
  singles.reserve(characters.size());
  for (const auto& [count, symbol] : characters) {
    singles.push_back(symbol);
    texts.emplace_back(&singles.back(), 1);
    scores.push_back(static_cast<double>(count));
  }
  for (const auto& candidate : best.take()) {
    texts.emplace_back(row.data() + places[candidate.left], candidate.depth);
    scores.push_back(static_cast<double>(candidate.score));
  }
  return with_scores(texts, std::move(scores));
}

}  // namespace helio::text::unigram
