#include "data/words/spacy_classes.h"

#include <algorithm>
#include <iterator>

namespace helio::data {

const std::array<uint8_t, 0x10000>& spacy_classes() {
  static const std::array<uint8_t, 0x10000> table = [] {
    std::array<uint8_t, 0x10000> filled = {};
    for (const SpacyRange& range : spacy_ranges())
      for (char32_t c = range.first; c <= range.last && c < filled.size(); ++c)
        filled[c] = range.classes;
    return filled;
  }();
  return table;
}

uint8_t spacy_classes_beyond(char32_t c) {
  const auto ranges = spacy_ranges();
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c,
                                      [](char32_t c, const SpacyRange& r) { return c < r.first; });
  if (after == ranges.begin() || c > std::prev(after)->last) return 0;
  return std::prev(after)->classes;
}

}  // namespace helio::data
