// Regular expressions of tokenizer.json (Oniguruma's Ruby syntax) run by PCRE2's JIT.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace helio::text {

struct Match {
  size_t begin = 0, end = 0;
};

class SplitRegex {
 public:
  // Constructs that the two engines read differently, and broken patterns, are
  // Error{invalid}. \p{..} knows Unicode
  // 16, as HF's does; \p{C}, and \P{..} inside a class, know Unicode 14.
  explicit SplitRegex(const std::string& pattern);
  ~SplitRegex();
  SplitRegex(const SplitRegex&) = delete;
  SplitRegex& operator=(const SplitRegex&) = delete;

  // Calls found(Match) for each match from left to right; `text` must be valid UTF-8. A pattern
  // that needs too many steps is Error{invalid}. May run in several threads at once.
  void for_each_match(std::string_view text, const std::function<void(Match)>& found) const;

 private:
  struct Impl;
  std::string pattern_;
  std::unique_ptr<Impl> impl_;
};

// The pattern in PCRE2's syntax; see SplitRegex.
std::string translate_pattern(std::string_view pattern);

}  // namespace helio::text
