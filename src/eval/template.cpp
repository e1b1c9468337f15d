#include "eval/template.h"

#include "core/error.h"

namespace helio::eval {
namespace {

std::string known_fields(const Json& document) {
  std::string names;
  for (const auto& [name, value] : document.items()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace

const Json& field_at(const Json& document, std::string_view path) {
  const Json* value = &document;
  for (size_t at = 0; at <= path.size();) {
    const size_t dot = std::min(path.find('.', at), path.size());
    const std::string part(path.substr(at, dot - at));
    const Json* next = nullptr;
    if (value->is_object()) {
      if (const auto found = value->find(part); found != value->end()) next = &*found;
    } else if (value->is_array() && !part.empty() && part.size() < 10 &&
               part.find_first_not_of("0123456789") == std::string::npos) {
      const size_t index = std::stoul(part);
      if (index < value->size()) next = &(*value)[index];
    }
    if (!next)
      throw Error(ErrorKind::invalid, "a document has no '" + std::string(path) + "'")
          .with_hint(document.is_object() ? "its fields: " + known_fields(document)
                                          : "it is no object");
    value = next;
    at = dot + 1;
  }
  return *value;
}

std::string fill(std::string_view pattern, const Json& document) {
  std::string out;
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '{') {
      const size_t next = std::min(pattern.find('{', at), pattern.size());
      out += pattern.substr(at, next - at);
      at = next;
    } else if (at + 1 < pattern.size() && pattern[at + 1] == '{') {
      out += '{';
      at += 2;
    } else {
      const size_t end = pattern.find('}', at);
      if (end == std::string_view::npos)
        throw Error(ErrorKind::invalid, "'{' without '}' in '" + std::string(pattern) + "'")
            .with_hint("write {{ for a brace");
      const std::string_view path = pattern.substr(at + 1, end - at - 1);
      const Json& value = field_at(document, path);
      if (value.is_string()) out += value.get_ref<const std::string&>();
      else if (value.is_number_integer()) out += value.dump();
      else
        throw Error(ErrorKind::invalid,
                    "field '" + std::string(path) + "' is neither a text nor a whole number");
      at = end + 1;
    }
  }
  return out;
}

}  // namespace helio::eval
