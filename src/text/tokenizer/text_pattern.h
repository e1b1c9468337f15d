// What Split and Replace look for: a text as it stands, or a regular expression.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/json.h"
#include "text/tokenizer/split_regex.h"

namespace helio::text {

class TextPattern {
 public:
  // {"String": "..."} or {"Regex": "..."} of the part called `of`.
  TextPattern(const Json& json, const std::string& of);

  // The regular expression; a text as it stands comes escaped.
  const std::string& regex() const { return regex_; }
  // The text as it stands, or null.
  const std::string* literal() const { return compiled_ ? nullptr : &literal_; }
  // From left to right; `text` must be valid UTF-8.
  void for_each_match(std::string_view text, const std::function<void(Match)>& found) const;

 private:
  std::string literal_ = {}, regex_ = {};
  std::unique_ptr<SplitRegex> compiled_ = {};  // null: the literal
};

}  // namespace helio::text
