// What a request says its answer's form must be.
#pragma once

#include <memory>

#include "serve/routes.h"

namespace helio::serve {

// response_format (text, json_object, json_schema), and beyond OpenAI's guided_json (a schema) and
// grammar (GBNF). Nothing when the form is free.
std::shared_ptr<text::TokenGrammar> read_response_format(const Call& call);

}  // namespace helio::serve
