#include "text/tokenizer/split_known.h"

#include "text/tokenizer/split_classes.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

struct Next {
  char32_t code = 0;
  size_t end = 0;
  SplitClass kind = SplitClass::other;
};

class Scanner {
 public:
  Scanner(std::string_view text, const SplitClass* classes) : text_(text), classes_(classes) {}

  size_t size() const { return text_.size(); }
  // The character at `at`, which must be before the end. Valid UTF-8 needs no checks.
  Next at(size_t at) const {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(text_[at + i]); };
    const uint8_t first = byte(0);
    char32_t code = first;
    size_t length = 1;
    if (first >= 0xF0) {
      code = (char32_t(first & 7) << 18) | (char32_t(byte(1) & 63) << 12) |
             (char32_t(byte(2) & 63) << 6) | (byte(3) & 63);
      length = 4;
    } else if (first >= 0xE0) {
      code = (char32_t(first & 15) << 12) | (char32_t(byte(1) & 63) << 6) | (byte(2) & 63);
      length = 3;
    } else if (first >= 0xC0) {
      code = (char32_t(first & 31) << 6) | (byte(1) & 63);
      length = 2;
    }
    return {code, at + length, classes_[code]};
  }
  // End of the run of `kind` that begins at `at`.
  size_t run(size_t at, SplitClass kind) const {
    while (at < text_.size()) {
      const Next next = this->at(at);
      if (next.kind != kind) break;
      at = next.end;
    }
    return at;
  }

 private:
  std::string_view text_;
  const SplitClass* classes_;
};

enum class Letters { exact, any_case };

// End of 's 't 're 've 'm 'll 'd at the apostrophe `at`, or `at` when there is none.
size_t contraction(std::string_view text, size_t at, Letters letters) {
  const auto letter = [&](size_t i) -> char {
    if (at + i >= text.size()) return 0;
    const char c = text[at + i];
    return letters == Letters::any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  };
  const char a = letter(1), b = letter(2);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return at + 2;
  if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return at + 3;
  // Case folding makes the long s (U+017F) an s.
  if (letters == Letters::any_case && text.substr(at + 1, 2) == "\u017F") return at + 3;
  return at;
}

// \s+(?!\S)|\s+ : all of a run at the end of the text, else all but its last character.
size_t spaces(const Scanner& scan, size_t at) {
  size_t last = at, end = at;
  while (end < scan.size()) {
    const Next next = scan.at(end);
    if (next.kind != SplitClass::space) return last > at ? last : end;
    last = end;
    end = next.end;
  }
  return end;
}

size_t gpt2_end(const Scanner& scan, std::string_view text, size_t at) {
  if (text[at] == '\'') {
    const size_t end = contraction(text, at, Letters::exact);
    if (end != at) return end;
  }
  Next next = scan.at(at);
  if (next.code == ' ' && next.end < scan.size()) {
    const Next second = scan.at(next.end);
    if (second.kind != SplitClass::space) next = second;
  }
  if (next.kind == SplitClass::space) return spaces(scan, at);
  return scan.run(next.end, next.kind);
}

size_t after_newlines(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == '\r' || text[at] == '\n')) ++at;
  return at;
}

// Where \s*[\r\n]+ ends, or `at` when the run of spaces has no line end.
size_t to_last_newline(const Scanner& scan, size_t at) {
  size_t found = at;
  for (size_t i = at; i < scan.size();) {
    const Next next = scan.at(i);
    if (next.kind != SplitClass::space) break;
    i = next.end;
    if (next.code == '\r' || next.code == '\n') found = i;
  }
  return found;
}

template <int max_digits>
size_t llama3_end(const Scanner& scan, std::string_view text, size_t at) {
  if (text[at] == '\'') {
    const size_t end = contraction(text, at, Letters::any_case);
    if (end != at) return end;
  }
  const Next next = scan.at(at);
  if (next.kind == SplitClass::letter) return scan.run(next.end, SplitClass::letter);
  if (next.kind == SplitClass::number) {
    size_t end = next.end;
    for (int digits = 1; digits < max_digits && end < scan.size(); ++digits) {
      const Next more = scan.at(end);
      if (more.kind != SplitClass::number) break;
      end = more.end;
    }
    return end;
  }
  if (next.end < scan.size() && next.code != '\r' && next.code != '\n') {
    const Next second = scan.at(next.end);
    if (second.kind == SplitClass::letter) return scan.run(second.end, SplitClass::letter);
    if (next.code == ' ' && second.kind == SplitClass::other)
      return after_newlines(text, scan.run(second.end, SplitClass::other));
  }
  if (next.kind == SplitClass::other)
    return after_newlines(text, scan.run(next.end, SplitClass::other));
  const size_t line = to_last_newline(scan, at);
  return line != at ? line : spaces(scan, at);
}

template <auto end_of_piece>
void split_all(std::string_view text, std::vector<std::string_view>& pieces) {
  const Scanner scan(text, split_classes());
  for (size_t at = 0; at < text.size();) {
    const size_t end = end_of_piece(scan, text, at);
    pieces.push_back(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace

void split_gpt2(std::string_view text, std::vector<std::string_view>& pieces) {
  split_all<gpt2_end>(text, pieces);
}
void split_llama3(std::string_view text, std::vector<std::string_view>& pieces) {
  split_all<llama3_end<3>>(text, pieces);
}
void split_qwen2(std::string_view text, std::vector<std::string_view>& pieces) {
  split_all<llama3_end<1>>(text, pieces);
}

}  // namespace helio::text
