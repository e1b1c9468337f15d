#include "text/jinja/source.h"

#include <algorithm>

#include "text/utf8.h"

namespace helio::text::jinja {

Source::Source(std::string name, std::string_view text) : name_(std::move(name)) {
  text_.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') text_ += text[i];
    else if (i + 1 == text.size() || text[i + 1] != '\n') text_ += '\n';
  }
  if (!text_.empty() && text_.back() == '\n') text_.pop_back();
  text_ = repair_utf8(text_);
}

Place Source::place(size_t at) const {
  at = std::min(at, text_.size());
  const std::string_view before = std::string_view(text_).substr(0, at);
  const size_t line = before.rfind('\n');
  return {1 + std::count(before.begin(), before.end(), '\n'),
          1 + count_code_points(before.substr(line == before.npos ? 0 : line + 1))};
}

std::string Source::where(size_t at) const {
  const Place p = place(at);
  return name_ + ":" + std::to_string(p.line) + ":" + std::to_string(p.column);
}

Error Source::error(size_t at, const std::string& message) const {
  at = std::min(at, text_.size());
  Error error(ErrorKind::invalid, where(at) + ": " + message);
  const size_t before = at == 0 ? std::string::npos : text_.rfind('\n', at - 1);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  const std::string_view line =
      std::string_view(text_).substr(begin, text_.find('\n', begin) - begin);
  const std::string shown(first_code_points(line, 160));
  error.add_context("in the template's line " + std::to_string(place(at).line) + ": " + shown +
                    (shown.size() < line.size() ? " ..." : ""));
  return error;
}

}  // namespace helio::text::jinja
