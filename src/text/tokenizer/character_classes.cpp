#include "text/tokenizer/character_classes.h"

#include <algorithm>
#include <iterator>

#include "text/unicode.h"

namespace helio::text {
namespace {

struct Range {
  char32_t first, last;
};
struct ScriptRange {
  char32_t first, last;
  int script;
};

#include "text/tokenizer/character_tables.inc"

template <size_t size, class Entry>
const Entry* find(const Entry (&table)[size], char32_t code) {
  const Entry* found =
      std::upper_bound(std::begin(table), std::end(table), code,
                       [](char32_t value, const Entry& range) { return value < range.first; });
  if (found == std::begin(table)) return nullptr;
  --found;
  return code <= found->last ? found : nullptr;
}

// Letters with a lower case that came after Unicode 15; each range keeps its distance.
struct Lower {
  char32_t first, last, to;
};
constexpr Lower kLowerSince15[] = {{0x1C89, 0x1C89, 0x1C8A},    {0xA7CB, 0xA7CB, 0x264},
                                   {0xA7CC, 0xA7CC, 0xA7CD},    {0xA7CE, 0xA7CE, 0xA7CF},
                                   {0xA7D2, 0xA7D2, 0xA7D3},    {0xA7D4, 0xA7D4, 0xA7D5},
                                   {0xA7DA, 0xA7DA, 0xA7DB},    {0xA7DC, 0xA7DC, 0x19B},
                                   {0x10D50, 0x10D65, 0x10D70}, {0x16EA0, 0x16EB8, 0x16EBB}};

}  // namespace

bool is_bert_control(char32_t code) { return find(kControls, code) != nullptr; }
bool is_combining_mark(char32_t code) { return code >= 0x300 && find(kMarks, code) != nullptr; }
bool is_nonspacing_mark(char32_t code) {
  return code >= 0x300 && find(kNonspacingMarks, code) != nullptr;
}
bool is_bert_punctuation(char32_t code) { return find(kPunctuation, code) != nullptr; }

bool is_word_character(char32_t code) {
  if (code < 0x80)
    return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
           (code >= 'A' && code <= 'Z') || code == '_';
  if (is_hangul_syllable(code)) return true;
  return find(kWordCharacters, code) != nullptr;
}

int script_of(char32_t code) {
  const auto* found = find(kScripts, code);
  return found ? found->script : -1;
}

void append_lower(std::u32string& out, char32_t code) {
  if (code < 0x80) {
    out.push_back(code >= 'A' && code <= 'Z' ? code + 32 : code);
    return;
  }
  if (code == 0x130) {
    out += U"i\u0307";
    return;
  }
  for (const auto& range : kLowerSince15)
    if (code >= range.first && code <= range.last) {
      out.push_back(range.to + (code - range.first));
      return;
    }
  out.push_back(to_lower(code));
}

}  // namespace helio::text
