// DeepSeek V3's three patterns as one: what an earlier one takes out ends the text of a later one.
#include "text/tokenizer/split_known.h"
#include "text/tokenizer/split_scanner.h"

namespace helio::text {
namespace {

bool is_han(char32_t code) {
  return (code >= 0x4E00 && code <= 0x9FA5) || (code >= 0x3040 && code <= 0x30FF);
}
bool is_word(FineClass fine) {
  return coarse(fine) == SplitClass::letter || fine == FineClass::mark;
}
bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

enum class Part { han, rest };

// The characters of one part: what belongs to another one is the end of its text.
class PartScanner {
 public:
  PartScanner(const Scanner& scan, Part part) : scan_(scan), part_(part) {}

  // False at the end.
  bool next(size_t at, Scanner::Next& next) const {
    if (at >= scan_.size()) return false;
    next = scan_.at(at);
    return next.kind() != SplitClass::number && is_han(next.code) == (part_ == Part::han);
  }
  template <class IsOf>
  size_t run(size_t at, IsOf&& is_of) const {
    for (Scanner::Next next; this->next(at, next) && is_of(next); at = next.end) {}
    return at;
  }
  size_t words(size_t at) const {
    for (Scanner::Next next;; at = next.end) {
      if (part_ == Part::rest) {  // ASCII letters and Hangul syllables belong to no other part
        while (at < scan_.size() && is_ascii_letter(scan_.byte(at))) ++at;
        while (at < scan_.size() && (scan_.byte(at) == '\xEB' || scan_.byte(at) == '\xEC')) at += 3;
      }
      if (!this->next(at, next) || !is_word(next.fine)) return at;
    }
  }
  // \s*[\r\n]+|\s+(?!\S)|\s+
  size_t lines_or_spaces(size_t at) const {
    size_t last = at, end = at, line = at;
    for (Scanner::Next next; this->next(end, next);) {
      if (next.kind() != SplitClass::space) return line != at ? line : last > at ? last : end;
      last = end;
      end = next.end;
      if (next.code == '\r' || next.code == '\n') line = end;
    }
    return line != at ? line : end;
  }
  size_t newlines(size_t at) const { return part_ == Part::rest ? scan_.newlines(at) : at; }

 private:
  const Scanner& scan_;
  Part part_;
};

// End of the third pattern's match at `at`, or `at`.
size_t match_end(const Scanner& scan, const PartScanner& part, size_t at,
                 const Scanner::Next& first) {
  if (is_word(first.fine)) return part.words(first.end);
  Scanner::Next second;
  const bool more = part.next(first.end, second);
  if (first.fine == FineClass::sign) {
    if (more && first.code < 0x80 && is_ascii_letter(scan.byte(first.end))) {
      size_t end = first.end;
      while (end < scan.size() && is_ascii_letter(scan.byte(end))) ++end;
      return end;
    }
  } else if (first.code != '\r' && first.code != '\n' && more && is_word(second.fine)) {
    return part.words(second.end);
  }
  const bool spaced = first.code == ' ' && more && second.fine == FineClass::sign;
  if (spaced || first.fine == FineClass::sign) {
    const size_t end = part.run(spaced ? second.end : first.end, [](const Scanner::Next& next) {
      return next.fine == FineClass::sign;
    });
    return part.newlines(end);
  }
  return first.kind() == SplitClass::space ? part.lines_or_spaces(at) : at;
}

size_t deepseek_end(const Scanner& scan, size_t at) {
  Scanner::Next first = scan.at(at);
  if (first.kind() == SplitClass::number) return scan.numbers(first.end, 3);
  const PartScanner part(scan, is_han(first.code) ? Part::han : Part::rest);
  if (const size_t end = match_end(scan, part, at, first); end != at) return end;
  // What does not match stays together, up to the next match or the end of the part.
  size_t end = first.end;
  while (part.next(end, first) && match_end(scan, part, end, first) == end) end = first.end;
  return end;
}

}  // namespace

size_t next_of_deepseek(std::string_view text, size_t& at, std::string_view* pieces, size_t room) {
  return split_next<deepseek_end>(text, at, pieces, room);
}

}  // namespace helio::text
