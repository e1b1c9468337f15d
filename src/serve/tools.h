// "tools" and "tool_choice" of a chat request.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serve/routes.h"
#include "serve/tool_format.h"

namespace helio::serve {

struct ToolRequest {
  ToolFormat format = ToolFormat::none;  // none: calls are not looked for
  // A call that must come: how the answer begins, as part of the prompt, and the form of the rest.
  std::string given = {};
  std::shared_ptr<text::TokenGrammar> grammar = {};
};

// ApiError 400 for a call that must come and cannot: no such tool, a model without a form of calls,
// a schema that no grammar can say.
ToolRequest read_tools(const Call& call);

}  // namespace helio::serve
