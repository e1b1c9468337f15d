// Cutting and joining text, shared by str methods and filters.
#pragma once

#include "text/jinja/runtime.h"

namespace helio::text::jinja {

enum class From : uint8_t { left, right };

// str.split / str.rsplit; `separator` missing or none: at whitespace. Error: an empty separator.
Value split_text(Runtime& rt, const Value& text, const Value& separator, int64_t most, From from);
ValueList split_lines(Runtime& rt, std::string_view text, bool keep_ends);
// str.strip; `characters` null: whitespace.
std::string_view strip_text(std::string_view text, const Value* characters, bool left, bool right);
// str.replace; most < 0: all.
Value replace_text(Runtime& rt, const Value& text, std::string_view old, std::string_view with,
                   int64_t most);
Value pad_text(Runtime& rt, std::string_view text, int64_t left, int64_t right,
               std::string_view fill);
bool is_lower_text(std::string_view text);
bool is_upper_text(std::string_view text);

}  // namespace helio::text::jinja
