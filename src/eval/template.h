// {field} substitution, and nothing more: a prompt is its text with fields of the document put in.
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"

namespace helio::eval {

// The value at a dotted path: "question", "choices.2". An Error names what is missing.
const Json& field_at(const Json& document, std::string_view path);

// Replaces each {path}; {{ is a brace. Texts and whole numbers can be put in, other values are
// errors.
std::string fill(std::string_view pattern, const Json& document);

}  // namespace helio::eval
