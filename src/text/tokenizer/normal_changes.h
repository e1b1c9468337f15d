// Unicode's normal forms with the trace of where each character came from.
#pragma once

#include <string_view>
#include <vector>

#include "text/tokenizer/aligned_text.h"
#include "text/unicode.h"

namespace helio::text {

// The characters of normalize(text, form) as HF's normalisers write them: one that was composed
// removes those that went into it, what was decomposed adds. `text` is valid UTF-8.
std::vector<Change> normal_form_changes(std::string_view text, NormalForm form);
// Characters that HF's normalisers, which are of an older Unicode, leave as they are.
bool left_alone(char32_t code);
// Whether a text has marks that order themselves, or letters that compose, in our Unicode and not
// in HF's: then only
// normal_form_changes() gives HF's text.
bool has_younger_marks(std::string_view text);

}  // namespace helio::text
