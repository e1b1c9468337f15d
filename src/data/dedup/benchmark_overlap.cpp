#include "data/dedup/benchmark_overlap.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/error.h"
#include "core/hash.h"
#include "data/dedup/simplify.h"

namespace helio::data {
namespace {

constexpr size_t kMaybe = size_t(1) << 26;

}  // namespace

BenchmarkOverlap::BenchmarkOverlap(const std::vector<OverlapItem>& items, size_t run)
    : run_(run), found_(items.size()), maybe_(kMaybe, false) {
  HELIO_CHECK(run > 0, "a run of no words");
  for (size_t i = 0; i < items.size(); ++i) {
    std::set<std::string_view> different(items[i].texts.begin(), items[i].texts.end());
    for (const auto text : different) {
      const SimpleWords words(text);
      found_[i].words = std::max(found_[i].words, static_cast<int64_t>(words.size()));
      if (words.size() < run_) continue;
      for (size_t at = 0; at + run_ <= words.size(); ++at) {
        const uint64_t hash = xxh3_64(words.run(at, run_));
        places_.push_back({.hash = hash,
                           .text = static_cast<uint32_t>(texts_.size()),
                           .word = static_cast<uint32_t>(at)});
        maybe_[hash % kMaybe] = true;
      }
      texts_.push_back(
          {.item = static_cast<uint32_t>(i), .covered = std::vector<bool>(words.size(), false)});
    }
  }
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) {
    return std::tie(a.hash, a.text, a.word) < std::tie(b.hash, b.text, b.word);
  });
  seen_.assign(places_.size(), false);
}

void BenchmarkOverlap::add(const std::string& document, std::string_view text) {
  const SimpleWords words(text);
  for (size_t at = 0; at + run_ <= words.size(); ++at) {
    const std::string_view run = words.run(at, run_);
    const uint64_t hash = xxh3_64(run);
    if (!maybe_[hash % kMaybe]) continue;
    auto place = std::lower_bound(places_.begin(), places_.end(), hash,
                                  [](const Place& a, uint64_t b) { return a.hash < b; });
    if (place == places_.end() || place->hash != hash ||
        seen_[static_cast<size_t>(place - places_.begin())])
      continue;
    uint32_t last = UINT32_MAX;  // an item has a run once, however many choices show it
    for (; place != places_.end() && place->hash == hash; ++place) {
      seen_[static_cast<size_t>(place - places_.begin())] = true;
      Text& whole = texts_[place->text];
      ItemOverlap& item = found_[whole.item];
      if (item.runs == 0) {
        item.document = document;
        item.text = std::string(run);
      }
      item.runs += whole.item != last;
      last = whole.item;
      std::fill_n(whole.covered.begin() + place->word, run_, true);
    }
  }
}

std::vector<ItemOverlap> BenchmarkOverlap::items() const {
  std::vector<ItemOverlap> out = found_;
  for (const Text& text : texts_) {
    const auto covered = std::count(text.covered.begin(), text.covered.end(), true);
    ItemOverlap& item = out[text.item];
    item.share = std::max(item.share,
                          static_cast<double>(covered) / static_cast<double>(text.covered.size()));
  }
  return out;
}

void drop_common_beginning(std::vector<OverlapItem>& items) {
  if (items.size() < 3) return;
  std::string_view common;
  bool begun = false;
  for (const auto& item : items)
    for (const auto& text : item.texts) {
      if (!begun) common = text;
      begun = true;
      const auto [end, other] =
          std::mismatch(common.begin(), common.end(), text.begin(), text.end());
      common = common.substr(0, static_cast<size_t>(end - common.begin()));
    }
  const size_t line = common.rfind('\n');
  if (line == common.npos) return;
  const size_t size = line + 1;
  for (auto& item : items)
    for (auto& text : item.texts) text.erase(0, size);
}

}  // namespace helio::data
