// The classes of a character, by table.
#pragma once

#include <array>

#include "data/words/spacy_en_tables.h"

namespace helio::data {

uint8_t spacy_classes_beyond(char32_t c);             // of the supplementary planes
const std::array<uint8_t, 0x10000>& spacy_classes();  // of the first plane

inline uint8_t spacy_classes(char32_t c) {
  static const auto& low = spacy_classes();
  return c < 0x10000 ? low[c] : spacy_classes_beyond(c);
}
inline bool is_spacy(char32_t c, int classes) { return (spacy_classes(c) & classes) != 0; }

}  // namespace helio::data
