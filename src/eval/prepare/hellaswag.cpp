// HellaSwag: WikiHow's marks removed as lm-evaluation-harness removes them. Sets `query` and
// `choices`.
#include "core/error.h"
#include "eval/prepare.h"
#include "text/unicode.h"

namespace helio::eval {
namespace {

std::string replaced(const std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  size_t at = 0;
  for (size_t found; (found = text.find(from, at)) != std::string::npos; at = found + from.size())
    out.append(text, at, found - at).append(to);
  return out.append(text, at);
}

// What re.sub("\\[.*?\\]", "", text) leaves: from "[" to the nearest "]" on the same line.
std::string without_brackets(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '[') {
      const size_t end = text.find_first_of("]\n", at + 1);
      if (end != std::string::npos && text[end] == ']') {
        at = end + 1;
        continue;
      }
    }
    out.push_back(text[at++]);
  }
  return out;
}

std::string cleaned(const std::string& text) {
  return replaced(without_brackets(replaced(std::string(text::trim(text)), " [title]", ". ")), "  ",
                  " ");
}

// Python's str.capitalize(): the first character in title case, all others in lower case.
std::string capitalized(const std::string& text) {
  std::string out;
  text::for_each_code_point(text, [&](char32_t code, std::string_view) {
    if (out.empty() && code == U'ß') out = "Ss";  // the only such letter a sentence may begin with
    else if (out.empty()) text::append_utf8(out, text::to_title(code));
    else if (code == U'İ') out += "i\xCC\x87";
    else text::append_utf8(out, text::to_lower(code));
  });
  return out;
}

void hellaswag(Json& document) {
  document["query"] =
      cleaned(text_field(document, "activity_label") + ": " + text_field(document, "ctx_a") + " " +
              capitalized(text_field(document, "ctx_b")));
  const auto endings = document.find("endings");
  if (endings == document.end() || !endings->is_array())
    throw Error(ErrorKind::invalid, "a HellaSwag document has no list 'endings'");
  Json choices = Json::array();
  for (const Json& ending : *endings) {
    if (!ending.is_string()) throw Error(ErrorKind::invalid, "a HellaSwag ending is no text");
    choices.push_back(cleaned(ending.get<std::string>()));
  }
  document["choices"] = std::move(choices);
}

}  // namespace
}  // namespace helio::eval
HELIO_PREPARE(hellaswag)
