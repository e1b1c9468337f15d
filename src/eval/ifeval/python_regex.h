// Python's `re` on PCRE2, for the patterns that IFEval's checks are made of: \s, \w, \d and \b over
// all of Unicode as CPython has them (\s with U+001C..U+001F, without U+180E), "." and "$" with
// "\n" only. Case-insensitive matching follows Unicode; Python also takes i, dotless i and dotted I
// for one letter (see LiteralFinder, which does).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace helio::eval::ifeval {

class PythonRegex {
 public:
  enum Flags : uint8_t { kPlain = 0, kIgnoreCase = 1, kMultiline = 2 };
  // An Error{invalid} where the pattern is wrong.
  explicit PythonRegex(std::string_view pattern, Flags flags = kPlain);
  ~PythonRegex();
  PythonRegex(PythonRegex&&) noexcept;

  struct Span {
    size_t begin = std::string_view::npos, end = std::string_view::npos;
    bool matched() const { return begin != std::string_view::npos; }
    std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
  };
  // Whole match first, then the groups. `text` must be valid UTF-8. A match that costs too much is
  // an Error. finditer().
  void for_each(std::string_view text,
                const std::function<void(const std::vector<Span>&)>& visit) const;
  int64_t count(std::string_view text) const;                        // len(findall())
  bool search(std::string_view text) const;                          // search() is not None
  std::vector<Span> match(std::string_view text) const;              // match(); empty: none
  std::vector<std::string_view> split(std::string_view text) const;  // split(); without groups
  // sub(): `\1` and `\g<0>` in the template.
  std::string sub(std::string_view text, std::string_view replacement) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// re.findall(word, text, IGNORECASE) for a word without special characters.
class LiteralFinder {
 public:
  enum class At : uint8_t { anywhere, word };  // word: r"\b" on both sides
  LiteralFinder(std::string_view word, At at);
  int64_t count(std::string_view text) const;  // without overlaps

 private:
  std::u32string folded_;
  At at_;
};

// Does Python's `re` read any of its characters as other than itself?
bool has_regex_syntax(std::string_view pattern);

}  // namespace helio::eval::ifeval
