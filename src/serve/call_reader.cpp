#include "serve/call_reader.h"

#include <exception>
#include <utility>

#include "core/json.h"

namespace helio::serve {
namespace {

// Characters of JSON outside strings: signs, numbers, true, false, null.
bool may_stand_outside(char c) {
  return std::string_view("{}[]:,\" \t\r\n+-.").find(c) != std::string_view::npos ||
         (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == 'E';
}

}  // namespace

size_t CallReader::push(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (ended_) return i;
    if (!inside_ && !may_stand_outside(text[i])) {
      ended_ = true;
      return i;
    }
    read(text[i]);
  }
  return text.size();
}

void CallReader::read(char c) {
  if (taking_) arguments_ += c;
  if (inside_) {
    if (depth_ == 1) string_ += c;
    if (escaped_) escaped_ = false;
    else if (c == '\\') escaped_ = true;
    else if (c == '"') {
      inside_ = false;
      if (depth_ == 1) string_ended();
    }
    return;
  }
  const int64_t arguments_depth = bare_ ? 1 : 2;
  switch (c) {
    case '"':
      inside_ = true;
      string_ = "\"";
      break;
    case '{':
    case '[': {
      ++depth_;
      const bool theirs = bare_ || (value_ && (key_ == "arguments" || key_ == "parameters"));
      if (begun_ || depth_ != arguments_depth || c != '{' || !theirs) break;
      begun_ = taking_ = true;
      arguments_ = "{";
      break;
    }
    case '}':
    case ']':
      if (depth_ == arguments_depth) taking_ = false;
      ended_ = --depth_ <= 0;
      break;
    case ':':
      value_ = value_ || depth_ == 1;
      break;
    case ',':
      if (depth_ == 1) value_ = false;
      break;
    default:
      break;
  }
}

void CallReader::string_ended() {
  std::string text;
  try {
    text = Json::parse(string_).get<std::string>();
  } catch (const std::exception&) {
    return;
  }
  if (!value_) key_ = std::move(text);
  else if (key_ == "name" && !name_) name_ = std::move(text);
}

}  // namespace helio::serve
