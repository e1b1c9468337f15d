#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {

Error unsupported(const std::string& what, const std::string& name, const std::string& supported) {
  return Error(ErrorKind::invalid, what + " '" + name + "' is not supported")
      .with_hint("byte-level BPE tokenizers are; here: " + supported);
}

Error malformed(const std::string& what) { return Error(ErrorKind::invalid, what); }

void check_made(size_t made, size_t limit) {
  if (made > limit)
    throw malformed("the tokenizer makes more than " + std::to_string(limit) +
                    " bytes of a short text: its replacements grow without end");
}

const Json& member(const Json& json, const char* key, const std::string& of) {
  if (!json.is_object()) throw malformed(of + " must be an object");
  const auto found = json.find(key);
  if (found == json.end()) throw malformed(of + " has no '" + std::string(key) + "'");
  return *found;
}

std::string text_member(const Json& json, const char* key, const std::string& of) {
  const Json& value = member(json, key, of);
  if (!value.is_string()) throw malformed(of + ": '" + std::string(key) + "' must be a text");
  return value.get<std::string>();
}

bool flag_member(const Json& json, const char* key, const std::string& of, bool missing) {
  if (!json.is_object()) throw malformed(of + " must be an object");
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return missing;
  if (!found->is_boolean())
    throw malformed(of + ": '" + std::string(key) + "' must be true or false");
  return found->get<bool>();
}

int32_t read_id(const Json& json, const std::string& of) {
  if (!json.is_number_unsigned() || json.get<uint64_t>() > static_cast<uint64_t>(kLargestId))
    throw malformed(of + ": " + (json.is_number() ? json.dump() : std::string(json.type_name())) +
                    " is no token id (0 to " + std::to_string(kLargestId) + ")");
  return static_cast<int32_t>(json.get<uint64_t>());
}

}  // namespace helio::text
