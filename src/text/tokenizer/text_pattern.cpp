#include "text/tokenizer/text_pattern.h"

#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

std::string escaped(std::string_view literal) {
  std::string out;
  for (const char c : literal) {
    if (std::string_view("\\.+*?()|[]{}^$#&-~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

TextPattern::TextPattern(const Json& json, const std::string& of) {
  if (json.is_object() && json.contains("Regex")) {
    regex_ = text_member(json, "Regex", of + "'s pattern");
    compiled_ = std::make_unique<SplitRegex>(regex_);
  } else if (json.is_object() && json.contains("String")) {
    literal_ = text_member(json, "String", of + "'s pattern");
    regex_ = escaped(literal_);
    // Nothing is found between all characters.
    if (literal_.empty()) compiled_ = std::make_unique<SplitRegex>(regex_);
  } else {
    throw malformed(of + "'s pattern must be {\"Regex\": ...} or {\"String\": ...}");
  }
}

void TextPattern::for_each_match(std::string_view text,
                                 const std::function<void(Match)>& found) const {
  if (compiled_) {
    if (!text.empty()) compiled_->for_each_match(text, found);
    return;
  }
  for (size_t at = text.find(literal_); at != std::string_view::npos;
       at = text.find(literal_, at + literal_.size()))
    found({at, at + literal_.size()});
}

}  // namespace helio::text
