#include "data/minhash.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "core/hash.h"
#include "data/parallel.h"
#include "data/simplify.h"

namespace helio::data {
namespace {

constexpr uint64_t kPrime = (uint64_t(1) << 61) - 1;

// numpy's RandomState.randint for uint64: masked rejection over pairs of MT19937 words.
uint64_t draw(std::mt19937& generator, uint64_t low, uint64_t high) {
  for (;;) {
    const uint64_t upper = generator();
    const uint64_t value = ((upper << 32) | generator()) & kPrime;
    if (value <= high - 1 - low) return low + value;
  }
}

class Components {
 public:
  explicit Components(size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), size_t(0));
  }
  size_t root(size_t node) {
    while (parent_[node] != node) node = parent_[node] = parent_[parent_[node]];
    return node;
  }
  // The smaller root stays, so a component's root is its first member whatever the order of links.
  void link(size_t a, size_t b) {
    a = root(a), b = root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<size_t> parent_;
};

}  // namespace

MinHash::MinHash(const MinHashOptions& options) : options_(options) {
  std::mt19937 generator(static_cast<uint32_t>(options.seed));
  const auto count = static_cast<size_t>(options.buckets * options.hashes_per_bucket);
  for (size_t i = 0; i < count; ++i) a_.push_back(draw(generator, 1, kPrime));
  for (size_t i = 0; i < count; ++i) b_.push_back(draw(generator, 0, kPrime));
}

std::vector<uint64_t> MinHash::signature(std::string_view text) const {
  const SimpleWords words(text);
  const auto n = static_cast<size_t>(options_.n_grams);
  if (words.size() < n) return {};
  const size_t count = a_.size();
  std::vector<uint64_t> minima(count, ~uint64_t(0));
  const uint64_t* a = a_.data();
  const uint64_t* b = b_.data();
  uint64_t* out = minima.data();
  for (size_t first = 0; first + n <= words.size(); ++first) {
    const uint64_t hash = xxh64(words.run(first, n));
    for (size_t i = 0; i < count; ++i) {
      const uint64_t wrapped =
          hash * a[i] + b[i];  // wraps at 2^64 before the modulus, as numpy does
      uint64_t value = (wrapped & kPrime) + (wrapped >> 61);
      value -= value >= kPrime ? kPrime : 0;
      out[i] = std::min(out[i], value);
    }
  }
  return minima;
}

std::vector<size_t> first_of_cluster(const std::vector<std::vector<uint64_t>>& signatures,
                                     const MinHashOptions& options, int threads) {
  struct Entry {
    Hash128 bucket;
    size_t document;
  };
  const auto rows = static_cast<size_t>(options.hashes_per_bucket);
  std::vector<std::vector<Entry>> bands(static_cast<size_t>(options.buckets));
  parallel_slices(bands.size(), threads, 1, [&](size_t begin, size_t end, int) {
    for (size_t band = begin; band < end; ++band) {
      auto& entries = bands[band];
      for (size_t i = 0; i < signatures.size(); ++i)
        if (!signatures[i].empty())
          entries.push_back({xxh3_128({reinterpret_cast<const char*>(&signatures[i][band * rows]),
                                       rows * sizeof(uint64_t)}),
                             i});
      std::sort(entries.begin(), entries.end(), [](const Entry& x, const Entry& y) {
        return x.bucket != y.bucket ? x.bucket < y.bucket : x.document < y.document;
      });
    }
  });
  Components components(signatures.size());
  for (const auto& entries : bands)
    for (size_t i = 1; i < entries.size(); ++i)
      if (entries[i].bucket == entries[i - 1].bucket)
        components.link(entries[i - 1].document, entries[i].document);
  std::vector<size_t> first(signatures.size());
  for (size_t i = 0; i < first.size(); ++i) first[i] = components.root(i);
  return first;
}

double estimated_similarity(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  if (a.empty() || a.size() != b.size()) return 0;
  size_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return double(equal) / double(a.size());
}

}  // namespace helio::data
