#include "data/kenlm/builder.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace helio::data::kenlm {
namespace {

constexpr float kMultiplier = 1.5f;            // build_binary's
constexpr float kMissingUnknown = -100.0f;     // its log10 probability
constexpr uint64_t kMost = uint64_t(1) << 46;  // bytes: what an address can have

}  // namespace

Builder::Builder(std::vector<uint64_t> counts) : counts_(std::move(counts)), used_(counts_.size()) {
  std::vector<uint64_t> sized = counts_;
  built_.parts = sections_of(sized, kMultiplier, kMost, [] {
    throw Error(ErrorKind::invalid, "more n-grams are claimed than any memory holds");
  });
  built_.words = 1;
  built_.bytes.resize(built_.parts.tables[0]);
}

void Builder::add_word(uint64_t hash, Weights weights) {
  uint32_t id = 0;
  if (hash == 0) {
    saw_unknown_ = true;
  } else {
    // Never full: one bucket more than words. A word listed twice is found as its first entry.
    id = static_cast<uint32_t>(built_.words++);
    const Sections& parts = built_.parts;
    uint64_t at = hash % parts.word_buckets;
    while (load<uint64_t>(built_.bytes.data() + parts.words + at * kWordEntry) != 0)
      at = at + 1 == parts.word_buckets ? 0 : at + 1;
    store(parts.words + at * kWordEntry, hash);
    store(parts.words + at * kWordEntry + 8, id);
  }
  store(built_.parts.unigrams + id * kUnigramEntry, weights);
}

uint32_t Builder::find(std::string_view word) const {
  const Table words{built_.bytes.data() + built_.parts.words, built_.parts.word_buckets,
                    kWordEntry};
  const char* const found = words.find(hash_of_word(word));
  return found ? load<uint32_t>(found + 8) : 0;
}

void Builder::begin_order(size_t n) {
  const bool last = n == counts_.size();
  built_.bytes.resize(last ? built_.parts.size : built_.parts.tables[n - 1]);
}

Table Builder::table(size_t order) const {
  return {built_.bytes.data() + built_.parts.tables[order - 2], built_.parts.buckets[order - 2],
          order == counts_.size() ? kLongestEntry : kMiddleEntry};
}

std::optional<Builder::Slot> Builder::find_or_insert(size_t order, uint64_t key) {
  const Table in = table(order);
  const auto place = [&](const char* entry) {
    return static_cast<uint64_t>(entry - built_.bytes.data()) + 8;
  };
  if (const char* const found = in.find(key)) return Slot{place(found), true};
  if (used_[order - 1] + 1 >= in.buckets) return {};
  ++used_[order - 1];
  uint64_t at = key % in.buckets;
  while (load<uint64_t>(in.begin + at * in.entry) != 0) at = at + 1 == in.buckets ? 0 : at + 1;
  const Slot slot{place(in.begin + at * in.entry), false};
  store(slot.at - 8, key);
  return slot;
}

void Builder::mark_extends_left(uint64_t at) {
  store(at, std::fabs(load<float>(built_.bytes.data() + at)));
}

float Builder::mark_extends_right(uint64_t at) {
  const float backoff = weights_at(at).backoff;
  if (backoff != 0) return backoff;
  store(at + 4, 0.0f);
  return 0;
}

const char* Builder::add(std::span<const uint32_t> ids, Weights weights) {
  const size_t n = ids.size();
  std::vector<uint64_t> keys(n + 1);  // by order
  keys[1] = ids[0];
  for (size_t order = 2; order <= n; ++order)
    keys[order] = hash_with(keys[order - 1], ids[order - 1]);
  // Until a longer n-gram comes, nothing ends with this one.
  weights.probability = -std::fabs(weights.probability);
  const auto own = find_or_insert(n, keys[n]);
  if (!own) return "the table is full";
  if (own->found) return "it is there twice, or two n-grams have the same hash";
  if (n == counts_.size()) store(own->at, weights.probability);
  else store(own->at, weights);

  std::vector<uint64_t> between;
  for (size_t lower = n - 1;; --lower) {
    if (lower == 1) {
      between.push_back(built_.parts.unigrams + ids[0] * kUnigramEntry);
      break;
    }
    const auto slot = find_or_insert(lower, keys[lower]);
    if (!slot) return "its shorter endings were pruned, and the tables have no more room for them";
    between.push_back(slot->at);
    if (slot->found) break;
    store(slot->at, Weights{0, kNoExtension});
  }
  fill_blanks(ids, between);
  for (const uint64_t at : between) mark_extends_left(at);

  if (n == 2) {
    mark_extends_right(built_.parts.unigrams + ids[1] * kUnigramEntry);
    return nullptr;
  }
  uint64_t context = ids[1];
  for (size_t i = 2; i < n; ++i) context = hash_with(context, ids[i]);
  const char* const found = table(n - 1).find(context);
  if (!found) return "its context is not among the n-grams";
  mark_extends_right(static_cast<uint64_t>(found - built_.bytes.data()) + 8);
  return nullptr;
}

void Builder::fill_blanks(std::span<const uint32_t> ids, std::span<const uint64_t> between) {
  if (between.size() == 1) return;
  const size_t n = ids.size();
  size_t basis = n - between.size();  // order of the longest ending that is there
  size_t change = between.size() - 1;
  float probability = -std::fabs(weights_at(between[change]).probability);
  --change;
  if (basis == 1) {
    probability += mark_extends_right(built_.parts.unigrams + ids[1] * kUnigramEntry);
    store(between[change], probability);
    basis = 2;
    --change;
  }
  uint64_t context = ids[1];
  for (size_t i = 2; i <= basis; ++i) context = hash_with(context, ids[i]);
  for (; basis + 1 < n; ++basis, --change) {
    if (const char* const found = table(basis).find(context))
      probability += mark_extends_right(static_cast<uint64_t>(found - built_.bytes.data()) + 8);
    store(between[change], probability);
    context = hash_with(context, ids[basis + 1]);
  }
}

Built Builder::finish() && {
  store(4, static_cast<uint32_t>(built_.words));
  if (!saw_unknown_) store(built_.parts.unigrams, Weights{kMissingUnknown, 0});
  return std::move(built_);
}

}  // namespace helio::data::kenlm
