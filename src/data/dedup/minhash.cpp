#define OPENSSL_SUPPRESS_DEPRECATED  // SHA1_*: the EVP interface takes longer than the hash itself
#define XXH_INLINE_ALL

#include "data/dedup/minhash.h"

#include <openssl/sha.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "core/error.h"

namespace helio::data {
namespace {

constexpr uint64_t kPrime = kMinHashPrime;

// numpy's RandomState.randint for uint64: masked rejection over pairs of MT19937 words.
uint64_t draw(std::mt19937& generator, uint64_t low, uint64_t high) {
  for (;;) {
    const uint64_t upper = generator();
    const uint64_t value = ((upper << 32) | generator()) & kPrime;
    if (value <= high - 1 - low) return low + value;
  }
}

uint64_t sha1_start(std::string_view bytes) {
  SHA_CTX context;
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1_Init(&context);
  SHA1_Update(&context, bytes.data(), bytes.size());
  SHA1_Final(digest, &context);
  uint64_t start;
  std::memcpy(&start, digest, sizeof start);
  return start;
}

template <class Hash>
void hash_runs(const SimpleWords& words, size_t n, std::vector<uint64_t>& out, Hash&& hash) {
  out.resize(words.size() - n + 1);
  for (size_t i = 0; i < out.size(); ++i) out[i] = hash(words.run(i, n));
}

}  // namespace

MinHash::MinHash(const MinHashOptions& options, MinHashKernel kernel)
    : options_(options), kernel_(kernel) {
  std::mt19937 generator(static_cast<uint32_t>(options.seed));
  slots_ = static_cast<size_t>(options.buckets * options.hashes_per_bucket);
  const auto next_a = [&] { a_.push_back(draw(generator, 1, kPrime)); };
  const auto next_b = [&] { b_.push_back(draw(generator, 0, kPrime)); };
  if (options.draws == DrawOrder::pairs) {
    for (size_t i = 0; i < slots_; ++i) next_a(), next_b();
  } else {
    for (size_t i = 0; i < slots_; ++i) next_a();
    for (size_t i = 0; i < slots_; ++i) next_b();
  }
  const size_t filled = (slots_ + kMinHashLanes - 1) / kMinHashLanes * kMinHashLanes;
  a_.resize(filled);
  b_.resize(filled);
  if (options.bits == HashBits::bits_32) options_.mask &= 0xFFFFFFFF;
}

void MinHash::shingle(std::string_view text, MinHashScratch& scratch) const {
  SimpleWords& words = scratch.words;
  switch (options_.form) {
    case WordForm::simple:
      words.read(text);
      break;
    case WordForm::word_characters:
      words.read_word_characters(text);
      break;
    case WordForm::raw:
      words.read_raw(text);
      break;
  }
  scratch.hashes.clear();
  const auto n = static_cast<size_t>(options_.n_grams);
  if (words.size() < std::max(n, static_cast<size_t>(options_.min_units))) return;
  const bool wide = options_.bits == HashBits::bits_64;
  if (options_.hash == ShingleHash::sha1)
    hash_runs(words, n, scratch.hashes, [&](std::string_view run) {
      return wide ? sha1_start(run) : sha1_start(run) & 0xFFFFFFFF;
    });
  else if (wide)
    hash_runs(words, n, scratch.hashes,
              [](std::string_view run) { return XXH64(run.data(), run.size(), 0); });
  else
    hash_runs(words, n, scratch.hashes,
              [](std::string_view run) { return XXH32(run.data(), run.size(), 0); });
}

std::vector<uint64_t> MinHash::signature(std::span<const uint64_t> hashes) const {
  if (hashes.empty()) return {};
  std::vector<uint64_t> minima(a_.size(), ~uint64_t(0));
  // Blocks that stay in the first cache while each group of slots goes over them.
  constexpr size_t kBlock = 2048;
  for (size_t at = 0; at < hashes.size(); at += kBlock)
    minhash_minima(kernel_, hashes.data() + at, std::min(kBlock, hashes.size() - at), a_.data(),
                   b_.data(), minima.data(), minima.size(), options_.mask);
  minima.resize(slots_);
  return minima;
}

std::vector<uint64_t> MinHash::signature(std::string_view text, MinHashScratch& scratch) const {
  shingle(text, scratch);
  return signature(scratch.hashes);
}

std::vector<uint64_t> MinHash::signature(std::string_view text) const {
  MinHashScratch own = scratch();
  return signature(text, own);
}

double estimated_similarity(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  if (a.empty() || a.size() != b.size()) return 0;
  size_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return double(equal) / double(a.size());
}

double jaccard(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  size_t both = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    both += a[i] == b[j];
    if (a[i] == b[j]) ++i, ++j;
    else if (a[i] < b[j]) ++i;
    else ++j;
  }
  const size_t all = a.size() + b.size() - both;
  return all == 0 ? 0 : double(both) / double(all);
}

std::vector<uint64_t> as_set(std::span<const uint64_t> hashes) {
  std::vector<uint64_t> set(hashes.begin(), hashes.end());
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  return set;
}

double chance_of_candidate(double similarity, const Bands& bands) {
  return 1 - std::pow(1 - std::pow(similarity, double(bands.rows)), double(bands.bands));
}

Bands best_bands(double threshold, int64_t permutations) {
  HELIO_CHECK(permutations > 0, "bands of no permutations");
  // Simpson's rule: the curve is a polynomial, steep but smooth.
  const auto area = [](double from, double to, const Bands& bands) {
    constexpr int kSteps = 400;
    double sum = 0;
    for (int i = 0; i <= kSteps; ++i) {
      const double weight = i == 0 || i == kSteps ? 1 : i % 2 == 1 ? 4 : 2;
      sum += weight * chance_of_candidate(from + (to - from) * i / kSteps, bands);
    }
    return sum * (to - from) / kSteps / 3;
  };
  Bands best;
  double least = 2;
  for (int64_t b = 1; b <= permutations; ++b)
    for (int64_t r = 1; r <= permutations / b; ++r) {
      const Bands bands = {b, r};
      const double error = area(0, threshold, bands) + (1 - threshold) - area(threshold, 1, bands);
      if (error < least) best = bands, least = error;
    }
  return best;
}

}  // namespace helio::data
