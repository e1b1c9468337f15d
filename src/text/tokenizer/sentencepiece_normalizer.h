// What SentencePiece does to a text before it cuts it: a step that only this engine has, made by
// the reader of its model files. It differs from HF's Precompiled: the longest rule counts, from
// character to character, and user-defined symbols are left as they are.
#pragma once

#include <memory>

#include "core/json.h"
#include "text/tokenizer/text_normalizer.h"

namespace helio::text {

// {"type": "SentencePiece", "precompiled_charsmap": base64 or null, "add_dummy_prefix",
//  "remove_extra_whitespaces", "escape_whitespaces": flags, "user_defined": [texts]}
std::unique_ptr<NormalizerStep> read_sentencepiece_normalizer(const Json& json);

}  // namespace helio::text
