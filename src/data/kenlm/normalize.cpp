// The text normalisers that published KenLM models were trained behind.
#include <utf8proc.h>

#include <string>

#include "data/dedup/simplify.h"
#include "data/kenlm/perplexity.h"
#include "data/punctuation.h"
#include "text/unicode.h"

namespace helio::data::kenlm {
namespace {

// cc_net's UNICODE_PUNCT, after digits have become 0 (its full-width 1 is one by then).
const char* plain_punctuation(char32_t c) {
  switch (c) {
    case U'，':
    case U'、':
      return ",";
    case U'。':
      return ".";
    case U'„':
    case U'”':
    case U'“':
    case U'«':
    case U'»':
    case U'」':
    case U'「':
    case U'《':
    case U'》':
      return "\"";
    case U'´':
    case U'’':
      return "'";
    case U'∶':
    case U'：':
      return ":";
    case U'？':
      return "?";
    case U'！':
      return "!";
    case U'（':
      return "(";
    case U'）':
      return ")";
    case U'；':
      return ";";
    case U'–':
    case U'━':
    case U'►':
      return "-";
    case U'—':
      return " - ";
    case U'．':
      return ". ";
    case U'～':
      return "~";
    case U'…':
      return "...";
    case U'〈':
      return "<";
    case U'〉':
      return ">";
    case U'【':
      return "[";
    case U'】':
      return "]";
    case U'％':
      return "%";
    default:
      return nullptr;
  }
}

bool is_printing(char32_t c) { return c >= 32 && (c < 127 || c >= 160); }

bool is_digit(char32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : text::is_decimal_digit(c); }

// The end of the number that begins at `at`: digits, and more after one decimal mark.
size_t end_of_number(std::string_view text, size_t at) {
  const auto digits = [&](size_t from) {
    while (from < text.size()) {
      const auto point = text::decode_utf8(text, from);
      if (!is_digit(point.value)) break;
      from += point.size;
    }
    return from;
  };
  at = digits(at);
  if (at >= text.size()) return at;
  const auto mark = text::decode_utf8(text, at);
  if (!is_decimal_mark(mark.value)) return at;
  const size_t end = digits(at + mark.size);
  return end > at + mark.size ? end : at;
}

void put_jamo(std::string& out, char32_t syllable) {
  const char32_t index = syllable - 0xAC00;
  text::append_utf8(out, 0x1100 + index / 588);
  text::append_utf8(out, 0x1161 + index % 588 / 28);
  if (index % 28 != 0) text::append_utf8(out, 0x11A7 + index % 28);
}

}  // namespace

std::string normalize(std::string_view text, Normalization form) {
  if (form == Normalization::none) return std::string(text);
  std::string out;
  out.reserve(text.size() * 3 / 2);
  const auto put = [&](char32_t c) {
    if (c < 0x80) {
      if (is_printing(c)) out += char(c);
    } else if (const char* const plain = plain_punctuation(c)) {
      out += plain;
    } else if (is_printing(c)) {
      text::append_utf8(out, c);
    }
  };
  text = text::trim(text);
  for (size_t at = 0; at < text.size();) {
    const auto point = text::decode_utf8(text, at);
    char32_t c = point.value;
    if (is_digit(c)) {
      out += '0';
      at = form == Normalization::ccnet ? at + point.size : end_of_number(text, at);
      continue;
    }
    if (is_plain_hangul(c)) {
      put_jamo(out, c);
    } else if (c < 0x80) {
      put(c >= 'A' && c <= 'Z' ? c + 32 : c);
    } else {
      if (c == 0x3A3) c = small_sigma(text, at, point.size);
      else c = c == 0x130 ? U'i' : text::to_lower(c);  // its dot is an accent and goes
      utf8proc_int32_t parts[32];
      int boundary = 0;
      const auto count =
          utf8proc_decompose_char(utf8proc_int32_t(c), parts, 32, UTF8PROC_DECOMPOSE, &boundary);
      for (utf8proc_ssize_t i = 0; i < count; ++i)
        if (utf8proc_category(parts[i]) != UTF8PROC_CATEGORY_MN) put(char32_t(parts[i]));
    }
    at += point.size;
  }
  return out;
}

}  // namespace helio::data::kenlm
