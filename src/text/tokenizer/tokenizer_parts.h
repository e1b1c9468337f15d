// Reading members of a tokenizer.json with errors that name them.
#pragma once

#include <cstddef>
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

// What a file may make of a text of so many bytes: a chain of replacements that doubles it at every
// step would fill any memory.
constexpr size_t largest_made(size_t bytes) { return (size_t(64) << 10) + 256 * bytes; }
// Error{invalid} when `made` is above `limit`.
void check_made(size_t made, size_t limit);

// A token id: below two million, so that tables indexed by ids stay small.
inline constexpr int64_t kLargestId = (int64_t(1) << 21) - 1;
int32_t read_id(const Json& json, const std::string& of);

}  // namespace helio::text
