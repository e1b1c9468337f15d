// Reading members of a tokenizer.json with errors that name them.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "core/json.h"

namespace helio::text {

// "pre-tokenizer 'Metaspace' is not supported", with what is as the hint.
Error unsupported(const std::string& what, const std::string& name, const std::string& supported);
Error malformed(const std::string& what);

// The member `key` of `json`, which is the part called `of`.
const Json& member(const Json& json, const char* key, const std::string& of);
std::string text_member(const Json& json, const char* key, const std::string& of);
bool flag_member(const Json& json, const char* key, const std::string& of, bool missing);

// A token id: below two million, so that tables indexed by ids stay small.
inline constexpr int64_t kLargestId = (int64_t(1) << 21) - 1;
int32_t read_id(const Json& json, const std::string& of);

}  // namespace helio::text
