#include <algorithm>
#include <string>

#include "text/html_text.h"

namespace helio::text {
namespace {

// The value after `key` and "=", quoted or not, in lower-cased text; empty when it is not there.
std::string value_after(std::string_view text, std::string_view key) {
  for (size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
    size_t begin = text.find_first_not_of(" \t\r\n", at + key.size());
    if (begin == text.npos || text[begin] != '=') continue;
    begin = text.find_first_not_of(" \t\r\n\"'", begin + 1);
    if (begin == text.npos) return {};
    const size_t end = std::min(text.find_first_of(" \t\r\n\"'>;/?", begin), text.size());
    return std::string(text.substr(begin, end - begin));
  }
  return {};
}

}  // namespace

std::string html_charset(std::string_view page) {
  if (page.starts_with("\xEF\xBB\xBF")) return "utf-8";
  if (page.starts_with("\xFE\xFF")) return "utf-16be";
  if (page.starts_with("\xFF\xFE")) return "utf-16le";
  std::string head(page.substr(0, 4096));
  for (char& c : head)
    if (c >= 'A' && c <= 'Z') c = char(c | 0x20);
  if (head.starts_with("<?xml")) {
    const std::string_view declaration = std::string_view(head).substr(0, head.find("?>"));
    if (std::string found = value_after(declaration, "encoding"); !found.empty()) return found;
  }
  for (size_t at = head.find("<meta"); at != head.npos; at = head.find("<meta", at + 1)) {
    const std::string_view tag = std::string_view(head).substr(at, head.find('>', at) - at);
    if (std::string found = value_after(tag, "charset"); !found.empty()) return found;
  }
  return {};
}

}  // namespace helio::text
