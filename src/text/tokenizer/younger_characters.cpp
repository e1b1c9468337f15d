#include "text/tokenizer/younger_characters.h"

#include <fmt/format.h>

#include <iterator>

namespace helio::text {
namespace {

struct Younger {
  char32_t first, last;
  std::string_view property;
};

#include "text/tokenizer/younger_characters.inc"

}  // namespace

std::string younger_members(std::string_view name) {
  std::string out;
  const auto put = [&](const Younger& range) {
    fmt::format_to(std::back_inserter(out), "\\x{{{:x}}}-\\x{{{:x}}}",
                   static_cast<uint32_t>(range.first), static_cast<uint32_t>(range.last));
  };
  if (name.empty()) return out;
  for (const auto& range : kCategories)
    if (range.property.starts_with(name)) put(range);
  for (const auto& range : kScripts)
    if (range.property == name) put(range);
  return out;
}

}  // namespace helio::text
