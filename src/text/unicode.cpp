#include "text/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <new>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/error.h"

namespace helio::text {
namespace {

utf8proc_category_t raw_category(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

bool is_ascii(std::string_view text) {
  for (const char c : text)
    if (static_cast<uint8_t>(c) >= 0x80) return false;
  return true;
}

utf8proc_option_t options_for(NormalForm form) {
  switch (form) {
    case NormalForm::nfc:
      return static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    case NormalForm::nfd:
      return static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
    case NormalForm::nfkc:
      return static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    case NormalForm::nfkd:
      return static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
  }
  throw Error(ErrorKind::internal, "no such normal form");
}

}  // namespace

Category category(char32_t code) {
  switch (raw_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return Category::letter;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return Category::mark;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return Category::number;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return Category::punctuation;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
      return Category::symbol;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return Category::separator;
    default:
      return Category::other;
  }
}

bool is_decimal_digit(char32_t code) { return raw_category(code) == UTF8PROC_CATEGORY_ND; }

bool is_upper(char32_t code) {
  const auto category = raw_category(code);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT;
}

bool is_lower(char32_t code) { return raw_category(code) == UTF8PROC_CATEGORY_LL; }
bool is_control(char32_t code) { return raw_category(code) == UTF8PROC_CATEGORY_CC; }

char32_t to_lower(char32_t code) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)));
}

char32_t to_title(char32_t code) {
  return static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(code)));
}

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_code_point(text, [&](char32_t code, std::string_view) {
    if (code < 0x80)
      out.push_back(static_cast<char>(code >= 'A' && code <= 'Z' ? code + 32 : code));
    else append_utf8(out, to_lower(code));
  });
  return out;
}

int64_t count_words(std::string_view text) {
  int64_t count = 0;
  size_t at = 0;
  bool in_word = false;
  const auto take = [&] {
    bool space = false;
    size_t size = 1;
    if (kMayBeginSpace[static_cast<uint8_t>(text[at])]) {
      const auto point = decode_utf8(text, at);
      space = is_python_space(point.value);
      size = point.size;
    }
    count += !space && !in_word;
    in_word = !space;
    at += size;
  };
#if defined(__SSE2__)
  // Sixteen bytes at a time where all that can be a space is ASCII; bytes of Hangul are just bytes.
  const auto within = [](__m128i bytes, int first, int last) {
    const __m128i from = _mm_sub_epi8(bytes, _mm_set1_epi8(char(first)));
    return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8(char(last - first))), from);
  };
  while (at + 16 <= text.size()) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    const __m128i leads = _mm_or_si128(within(bytes, 0xC2, 0xC2), within(bytes, 0xE1, 0xE3));
    if (_mm_movemask_epi8(leads)) {
      for (const size_t end = at + 16; at < end;) take();
      continue;
    }
    const __m128i spaces = _mm_or_si128(within(bytes, 0x09, 0x0D), within(bytes, 0x1C, 0x20));
    const unsigned words = ~unsigned(_mm_movemask_epi8(spaces)) & 0xFFFF;
    const unsigned begins = words & ~(words << 1 | unsigned(in_word));
    count += __builtin_popcount(begins);
    in_word = words >> 15;
    at += 16;
  }
#endif
  while (at < text.size()) take();
  return count;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  for_each_word(text, [&](std::string_view word) { words.push_back(word); });
  return words;
}

std::string_view trim(std::string_view text) {
  size_t begin = 0, end = text.size();
  while (begin < end) {
    if (!kMayBeginSpace[static_cast<uint8_t>(text[begin])]) break;
    const auto point = decode_utf8(text, begin);
    if (!is_python_space(point.value)) break;
    begin += point.size;
  }
  while (end > begin) {
    if (const auto byte = static_cast<uint8_t>(text[end - 1]); byte < 0x80) {
      if (!is_python_space(byte)) break;
      --end;
      continue;
    }
    size_t last = end - 1;  // back to the byte that begins the last character
    while (last > begin && end - last < 4 && (static_cast<uint8_t>(text[last]) & 0xC0) == 0x80)
      --last;
    const auto point = decode_utf8(text, last);
    if (last + point.size != end || !is_python_space(point.value)) break;
    end = last;
  }
  return text.substr(begin, end - begin);
}

namespace {

// Characters that a form leaves as they are whatever stands beside them: starters that decompose
// into nothing (or, for NFC, are composed) and compose with nothing before them. A part of those
// that Unicode's NFC_Quick_Check and NFKC_Quick_Check name: what Korean and English texts hold.
bool is_surely_normal(char32_t c, bool compatibility) {
  if (c >= 0xAC00) {
    if (c <= 0xD7A3) return true;
    return !compatibility && ((c >= 0xFF00 && c <= 0xFFEF) || (c >= 0x1F300 && c <= 0x1FAFF) ||
                              (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFE00 && c <= 0xFE0F) ||
                              c == 0xFEFF || c == 0xFFFD);
  }
  if (c >= 0x4E00) return c <= 0x9FFF;
  if (c < 0x80 || (c >= 0xC0 && c <= 0x131)) return true;
  if ((c >= 0x3041 && c <= 0x3096) || (c >= 0x30A1 && c <= 0x30FA)) return true;
  if (c == 0x3001 || c == 0x3002 || (c >= 0x3008 && c <= 0x3011) || c == 0xB7) return true;
  if (c >= 0x2010 && c <= 0x2027)  // dashes, quotes, bullets; 2011 and 2024 to 2026 are compat
    return !compatibility || (c != 0x2011 && c != 0x2017 && c < 0x2024) || c == 0x2027;
  if (compatibility) return false;
  return c < 0x300 || (c >= 0x391 && c <= 0x3CE && c != 0x3A2) || (c >= 0x400 && c <= 0x482) ||
         (c >= 0x2002 && c <= 0x200F) || (c >= 0x2028 && c <= 0x2064) ||
         (c >= 0x20A0 && c <= 0x20BF) || (c >= 0x2100 && c <= 0x2125) ||
         (c >= 0x2150 && c <= 0x2188) || (c >= 0x2190 && c <= 0x2328) ||
         (c >= 0x232B && c <= 0x2426) || (c >= 0x2460 && c <= 0x2ADB) ||
         (c >= 0x3000 && c <= 0x3029) || (c >= 0x30FB && c <= 0x30FF) ||
         (c >= 0x3131 && c <= 0x318E) || (c >= 0x3200 && c <= 0x33FF);
}

// False also where it would take longer to tell, and for what is no UTF-8.
bool is_surely_normal(std::string_view text, NormalForm form) {
  if (form != NormalForm::nfc && form != NormalForm::nfkc) return false;
  const bool compatibility = form == NormalForm::nfkc;
  for (size_t at = 0; at < text.size();) {
    const auto point = decode_utf8(text, at);
    if (point.status == Utf8::invalid || !is_surely_normal(point.value, compatibility))
      return false;
    at += point.size;
  }
  return true;
}

}  // namespace

bool stays_in_nfc(char32_t code) { return is_surely_normal(code, false); }

namespace {

std::string map(std::string_view valid, NormalForm form) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(valid.data()),
                   static_cast<utf8proc_ssize_t>(valid.size()), &mapped, options_for(form));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (size == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  HELIO_CHECK(size >= 0, std::string("utf8proc: ") + utf8proc_errmsg(size));
  return {reinterpret_cast<const char*>(mapped), static_cast<size_t>(size)};
}

}  // namespace

std::string normalize(std::string_view text, NormalForm form) {
  if (is_ascii(text)) return std::string(text);  // every form leaves ASCII alone
  if (is_surely_normal(text, form)) return std::string(text);
  const std::string valid = repair_utf8(text);
  if (form != NormalForm::nfc && form != NormalForm::nfkc) return map(valid, form);
  // utf8proc 2.8 takes U+11A7 for a final letter and swallows it behind a syllable that has none;
  // it stands before the first of them and composes with nothing, so texts may be cut there.
  constexpr std::string_view kNoFinal = "\u11A7";
  std::string out;
  for (size_t at = 0;;) {
    const size_t end = std::min(valid.find(kNoFinal, at), valid.size());
    out += map(std::string_view(valid).substr(at, end - at), form);
    if (end == valid.size()) return out;
    out += kNoFinal;
    at = end + kNoFinal.size();
  }
}

}  // namespace helio::text
