#include "data/dedup/simplify.h"

#include <utf8proc.h>

#include <array>
#include <cstring>
#include <string>

#include "core/error.h"
#include "data/punctuation.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

constexpr char32_t kSigma = 0x3A3, kDottedI = 0x130;

// Canonical decomposition without non-spacing marks, in UTF-8.
std::string bare(char32_t c) {
  std::string out;
  utf8proc_int32_t parts[32];
  int boundary = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, 32,
                                             UTF8PROC_DECOMPOSE, &boundary);
  HELIO_CHECK(count >= 0 && count <= 32, "a character decomposes into more than 32");
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    if (utf8proc_category(parts[i]) != UTF8PROC_CATEGORY_MN)
      text::append_utf8(out, static_cast<char32_t>(parts[i]));
  return out;
}

// What becomes of a character: these kinds, or up to 7 bytes that stand for it.
constexpr uint8_t kSeparator = 255, kDigit = 254, kLong = 253;
struct Fate {
  char bytes[7] = {};
  uint8_t size = 0;
};

Fate fate_of(char32_t c) {
  Fate fate;
  if (text::is_decimal_digit(c)) {
    fate.size = kDigit;
  } else if (is_stripped_punctuation(c) || text::is_python_space(c)) {
    fate.size = kSeparator;
  } else {
    const std::string bytes = bare(c == kDottedI ? U'i' : text::to_lower(c));
    fate.size = c == kSigma || bytes.size() > sizeof fate.bytes ? kLong : uint8_t(bytes.size());
    if (fate.size != kLong) bytes.copy(fate.bytes, bytes.size());
  }
  return fate;
}

// Of the first 65,536 characters; made once, in a few milliseconds.
const Fate* fates() {
  static const std::vector<Fate> all = [] {
    std::vector<Fate> made(0x10000);
    for (char32_t c = 0; c < 0x10000; ++c)
      if (!is_plain_hangul(c) && (c < 0xD800 || c > 0xDFFF)) made[c] = fate_of(c);
    return made;
  }();
  return all.data();
}

// Hangul syllables as UTF-8 of their Jamo: the first consonant, then vowel and last consonant.
struct Jamo {
  char first[19][4] = {};
  char rest[588][8] = {};  // the last byte is the length
  Jamo() {
    for (size_t i = 0; i < 19; ++i) put(first[i], char32_t(0x1100 + i));
    for (size_t i = 0; i < 588; ++i) {
      put(rest[i], char32_t(0x1161 + i / 28));
      rest[i][7] = 3;
      if (i % 28 == 0) continue;
      put(rest[i] + 3, char32_t(0x11A7 + i % 28));
      rest[i][7] = 6;
    }
  }
  static void put(char* out, char32_t c) {
    out[0] = char(0xE0 | (c >> 12)), out[1] = char(0x80 | ((c >> 6) & 0x3F));
    out[2] = char(0x80 | (c & 0x3F));
  }
};
const Jamo& jamo() {
  static const Jamo table;
  return table;
}

// ASCII: the byte that stands for it, 0 for what parts words, '0' for digits.
constexpr std::array<char, 128> kAscii = [] {
  std::array<char, 128> table = {};
  for (int c = 'a'; c <= 'z'; ++c) table[size_t(c)] = table[size_t(c - 32)] = char(c);
  for (int c = '0'; c <= '9'; ++c) table[size_t(c)] = '0';
  return table;
}();

}  // namespace

bool is_decimal_mark(char32_t c) {
  return c == '.' || c == ',' || c == 0x60C || c == 0x66B || (c >= 0x2396 && c <= 0x2398);
}

char32_t small_sigma(std::string_view text, size_t at, size_t size) {
  bool after = false;
  for (size_t back = 1; back <= 4 && back <= at && !after; ++back) {
    const auto point = text::decode_utf8(text, at - back);
    if (point.size == back) after = text::is_letter(point.value);
  }
  const size_t next = at + size;
  const bool before = next < text.size() && text::is_letter(text::decode_utf8(text, next).value);
  return after && !before ? 0x3C2 : 0x3C3;
}

char* SimpleWords::start(size_t bytes) {
  if (bytes > capacity_) {
    capacity_ = bytes + bytes / 2;
    buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
  }
  HELIO_CHECK(bytes < UINT32_MAX, "a text of more than 1.4 GB is compared");
  begins_.clear();
  return buffer_.get();
}

void SimpleWords::finish(const char* end) {
  const size_t gap = begins_.empty() ? 0 : this->gap();
  begins_.push_back(static_cast<uint32_t>(static_cast<size_t>(end - buffer_.get()) + gap));
}

void SimpleWords::read(std::string_view text) {
  // NFD makes UTF-8 at most three times as long (Unicode, UAX 15 on expansion factors).
  char* const first = start(3 * text.size() + 64);
  char* out = first;
  const Fate* const fate_table = fates();
  const Jamo& jamo_table = jamo();
  const bool words = unit_ == TextUnit::word;
  bool inside = false;  // of a word
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  const size_t size = text.size();

  const auto begin_unit = [&] {
    if (words) {
      if (inside) return;
      if (out != first) *out++ = ' ';
      inside = true;
    }
    begins_.push_back(static_cast<uint32_t>(out - first));
  };
  const auto put = [&](const char* piece, size_t length) {
    // An accent alone leaves nothing: a word begins with its first letter.
    if (length == 0) return;
    begin_unit();
    std::memcpy(out, piece, length);
    out += length;
    // The parts of what decomposes into letters are units of their own.
    if (unit_ != TextUnit::jamo) return;
    const size_t begin = begins_.back();
    for (size_t i = 1; i < length; ++i)
      if ((static_cast<unsigned char>(piece[i]) & 0xC0) != 0x80)
        begins_.push_back(static_cast<uint32_t>(begin + i));
  };
  const auto digit_at = [&](size_t at) -> size_t {  // its bytes, or 0
    if (at >= size) return 0;
    if (bytes[at] < 0x80) return bytes[at] >= '0' && bytes[at] <= '9' ? 1 : 0;
    const auto point = text::decode_utf8(text, at);
    return text::is_decimal_digit(point.value) ? point.size : 0;
  };
  const auto skip_number = [&](size_t at) {
    while (const size_t n = digit_at(at)) at += n;
    if (at >= size) return at;
    const auto mark = text::decode_utf8(text, at);
    if (!is_decimal_mark(mark.value) || digit_at(at + mark.size) == 0) return at;
    at += mark.size;
    while (const size_t n = digit_at(at)) at += n;
    return at;
  };

  for (size_t at = 0; at < size;) {
    const unsigned char c = bytes[at];
    if (c < 0x80) {
      char low = kAscii[c];
      if (low >= 'a') {
        if (!words) {
          put(&low, 1);
          ++at;
          continue;
        }
        begin_unit();
        do {
          *out++ = low;
          ++at;
        } while (at < size && bytes[at] < 0x80 && (low = kAscii[bytes[at]]) >= 'a');
      } else if (low == 0) {
        inside = false;
        ++at;
      } else {
        at = skip_number(at);
        put("0", 1);
      }
      continue;
    }
    if (c >= 0xEA && c <= 0xED && at + 2 < size && (bytes[at + 1] & 0xC0) == 0x80 &&
        (bytes[at + 2] & 0xC0) == 0x80) {
      const uint32_t index = (uint32_t(c & 0x0F) << 12 | uint32_t(bytes[at + 1] & 0x3F) << 6 |
                              (bytes[at + 2] & 0x3F)) -
                             0xAC00;
      if (index < 11172) {
        begin_unit();
        const uint32_t head = index / 588, tail = index % 588;
        if (unit_ == TextUnit::syllable) {
          std::memcpy(out, bytes + at, 3);
          out += 3;
        } else {
          const char* rest = jamo_table.rest[tail];
          std::memcpy(out, jamo_table.first[head], 4);
          std::memcpy(out + 3, rest, 8);
          if (unit_ == TextUnit::jamo)
            for (int i = 3; i <= rest[7]; i += 3)
              begins_.push_back(static_cast<uint32_t>(out + i - first));
          out += 3 + rest[7];
        }
        at += 3;
        continue;
      }
    }
    const auto point = text::decode_utf8(text, at);
    const Fate fate = point.value < 0x10000 ? fate_table[point.value] : fate_of(point.value);
    if (fate.size <= sizeof fate.bytes) {
      put(fate.bytes, fate.size);
      at += point.size;
    } else if (fate.size == kSeparator) {
      inside = false;
      at += point.size;
    } else if (fate.size == kDigit) {
      at = skip_number(at);
      put("0", 1);
    } else {
      const std::string piece = bare(point.value == kSigma ? small_sigma(text, at, point.size)
                                                           : text::to_lower(point.value));
      put(piece.data(), piece.size());
      at += point.size;
    }
  }
  finish(out);
}

void SimpleWords::read_raw(std::string_view text) {
  char* const first = start(text.size() + 64);
  char* out = first;
  text::for_each_word(text, [&](std::string_view word) {
    if (out != first) *out++ = ' ';
    begins_.push_back(static_cast<uint32_t>(out - first));
    std::memcpy(out, word.data(), word.size());
    out += word.size();
  });
  finish(out);
}

void SimpleWords::read_word_characters(std::string_view text) {
  char* const first = start(3 * text.size() + 64);
  char* out = first;
  bool inside = false;
  text::for_each_code_point(text, [&](char32_t c, std::string_view) {
    const bool plain = c < 0x80 ? kAscii[c] != 0 || c == '_'
                                : is_plain_hangul(c) || text::is_letter(c) || text::is_number(c);
    if (!plain) {
      inside = false;
      return;
    }
    if (!inside) {
      if (out != first) *out++ = ' ';
      begins_.push_back(static_cast<uint32_t>(out - first));
    }
    inside = true;
    std::string piece;
    text::append_utf8(piece, is_plain_hangul(c) ? c : text::to_lower(c));
    std::memcpy(out, piece.data(), piece.size());
    out += piece.size();
  });
  finish(out);
}

}  // namespace helio::data
