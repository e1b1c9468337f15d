#include "text/train/json_splice.h"

#include "core/error.h"
#include "core/json.h"

namespace helio::text {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

size_t skip_space(std::string_view json, size_t at) {
  while (at < json.size() && is_space(json[at])) ++at;
  return at;
}

size_t skip_string(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at)
    if (json[at] == '\\') ++at;
  return at + 1;
}

size_t skip_value(std::string_view json, size_t at) {
  int depth = 0;
  while (at < json.size()) {
    const char c = json[at];
    if (c == '"') {
      at = skip_string(json, at);
      if (depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // behind a number or a word
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || is_space(c))) {
      return at;
    }
    ++at;
  }
  return at;
}

}  // namespace

JsonSpan find_json_value(std::string_view json, std::initializer_list<std::string_view> path) {
  JsonSpan span{skip_space(json, 0), json.size()};
  for (const auto key : path) {
    JsonSpan found;
    if (span.begin < json.size() && json[span.begin] == '{')
      for (size_t at = skip_space(json, span.begin + 1); at < span.end && json[at] == '"';) {
        const size_t key_end = skip_string(json, at);
        const auto name = parse_json(json.substr(at, key_end - at), "a key");
        const size_t begin = skip_space(json, skip_space(json, key_end) + 1);
        const size_t end = skip_value(json, begin);
        if (name == key) found = {begin, end};
        at = skip_space(json, end);
        if (at < span.end && json[at] == ',') at = skip_space(json, at + 1);
      }
    if (found.end == 0)
      throw Error(ErrorKind::invalid, "there is no '" + std::string(key) + "' in the JSON");
    span = found;
  }
  return span;
}

std::string with_elements(std::string_view json, const std::vector<std::string>& elements) {
  const size_t first = skip_space(json, 1);
  size_t last = json.size() - 1;  // the closing bracket
  while (last > 1 && is_space(json[last - 1])) --last;
  // What stands between the bracket and the first element stands before every element.
  const std::string_view before = first < json.size() - 1 ? json.substr(1, first - 1) : "";
  std::string out(json.substr(0, last));
  bool any = last > 1;
  for (const auto& element : elements) {
    if (any) out += ',';
    any = true;
    out += before;
    out += element;
  }
  out += json.substr(last);
  return out;
}

}  // namespace helio::text
