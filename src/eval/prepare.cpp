#include "eval/prepare.h"

#include "core/error.h"

namespace helio::eval {

Prepare find_prepare(std::string_view name) {
  for (const auto& entry : prepares())
    if (entry.name == name) return entry.prepare;
  return nullptr;
}

const std::string& text_field(const Json& document, const char* field) {
  const auto found = document.find(field);
  if (found == document.end() || !found->is_string())
    throw Error(ErrorKind::invalid, "a document has no text '" + std::string(field) + "'");
  return found->get_ref<const std::string&>();
}

}  // namespace helio::eval
