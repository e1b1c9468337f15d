// A draft model beside the model, as the commands that generate ask for it.
#pragma once

#include "core/fields.h"
#include "engine/load_served_model.h"

namespace helio::engine {

// --draft, --draft-tokens.
inline void describe_draft(Fields& f, ServedModelOptions& options) {
  f("draft", options.draft,
    "A smaller model with the same vocabulary that proposes tokens: the answers stay, it may be "
    "faster.");
  f("draft_tokens", options.engine.draft_tokens, "Tokens it proposes at a time.", between(1, 64));
}

}  // namespace helio::engine
