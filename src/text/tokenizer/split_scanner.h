// Characters and runs of classes of characters, for the hand-written matchers. Private to split_*.
#pragma once

#include <string_view>
#include <vector>

#include "text/tokenizer/split_classes.h"
#include "text/tokenizer/split_known.h"

namespace helio::text {

class Scanner {
 public:
  struct Next {
    char32_t code = 0;
    size_t end = 0;
    FineClass fine = FineClass::other;
    SplitClass kind() const { return coarse(fine); }
  };

  // `text` is valid UTF-8.
  explicit Scanner(std::string_view text) : text_(text), classes_(split_classes()) {}

  size_t size() const { return text_.size(); }
  char byte(size_t at) const { return text_[at]; }
  std::string_view text() const { return text_; }

  // The character at `at`, which must be before the end.
  Next at(size_t at) const {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(text_[at + i]); };
    const uint8_t first = byte(0);
    if (first < 0x80) return {first, at + 1, classes_[first]};
    char32_t code = 0;
    size_t length = 0;
    if (first < 0xE0) {
      code = (char32_t(first & 31) << 6) | (byte(1) & 63);
      length = 2;
    } else if (first < 0xF0) {
      code = (char32_t(first & 15) << 12) | (char32_t(byte(1) & 63) << 6) | (byte(2) & 63);
      length = 3;
    } else {
      code = (char32_t(first & 7) << 18) | (char32_t(byte(1) & 63) << 12) |
             (char32_t(byte(2) & 63) << 6) | (byte(3) & 63);
      length = 4;
    }
    return {code, at + length, classes_[code]};
  }

  // End of the run of characters that begins at `at` and of which is_of(FineClass) holds.
  template <class IsOf>
  size_t run(size_t at, IsOf&& is_of) const {
    while (at < text_.size()) {
      const Next next = this->at(at);
      if (!is_of(next.fine)) break;
      at = next.end;
    }
    return at;
  }
  size_t run(size_t at, SplitClass kind) const {
    return run(at, [kind](FineClass fine) { return coarse(fine) == kind; });
  }
  size_t letters(size_t at) const {
    while (at < text_.size()) {
      const auto first = static_cast<uint8_t>(text_[at]);
      if (first < 0x80) {
        if (coarse(classes_[first]) != SplitClass::letter) break;
        ++at;
      } else if (first == 0xEB || first == 0xEC) {  // Hangul syllables, all of them
        at += 3;
      } else {
        const Next next = this->at(at);
        if (next.kind() != SplitClass::letter) break;
        at = next.end;
      }
    }
    return at;
  }
  // [\r\n]*, and of other bytes.
  size_t newlines(size_t at, char also = '\n') const {
    while (at < text_.size() && (text_[at] == '\r' || text_[at] == '\n' || text_[at] == also)) ++at;
    return at;
  }
  // \s+(?!\S)|\s+ : all of a run at the end of the text, else all but its last character.
  size_t spaces(size_t at) const {
    size_t last = at, end = at;
    while (end < text_.size()) {
      const Next next = this->at(end);
      if (next.kind() != SplitClass::space) return last > at ? last : end;
      last = end;
      end = next.end;
    }
    return end;
  }
  // \s*[\r\n]+|\s+(?!\S)|\s+ for a run of spaces that begins at `at`.
  size_t lines_or_spaces(size_t at) const {
    size_t last = at, end = at, line = at;
    while (end < text_.size()) {
      const Next next = this->at(end);
      if (next.kind() != SplitClass::space) return line != at ? line : last > at ? last : end;
      last = end;
      end = next.end;
      if (next.code == '\r' || next.code == '\n') line = end;
    }
    return line != at ? line : end;
  }
  // \p{N}{1,max} whose first number ends at `at`.
  size_t numbers(size_t at, int max) const {
    for (int digits = 1; digits < max && at < text_.size(); ++digits) {
      const Next more = this->at(at);
      if (more.kind() != SplitClass::number) break;
      at = more.end;
    }
    return at;
  }
  // End of 's 't 're 've 'm 'll 'd at the apostrophe `at`, or `at` when there is none.
  enum class Letters { exact, any_case };
  size_t contraction(size_t at, Letters letters) const {
    const auto letter = [&](size_t i) -> char {
      if (at + i >= text_.size()) return 0;
      const char c = text_[at + i];
      return letters == Letters::any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    };
    const char a = letter(1), b = letter(2);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return at + 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return at + 3;
    // Case folding makes the long s (U+017F) an s.
    if (letters == Letters::any_case && text_.substr(at + 1, 2) == "\u017F") return at + 3;
    return at;
  }

 private:
  std::string_view text_;
  const FineClass* classes_;
};

// The next pieces of a text where end_of_piece(scanner, at) says where the one at `at` ends.
template <auto end_of_piece>
size_t split_next(std::string_view text, size_t& at, std::string_view* pieces, size_t room) {
  const Scanner scan(text);
  size_t count = 0;
  size_t begin = at;
  while (begin < text.size() && count < room) {
    const size_t end = end_of_piece(scan, begin);
    pieces[count++] = text.substr(begin, end - begin);
    begin = end;
  }
  at = begin;
  return count;
}

}  // namespace helio::text
