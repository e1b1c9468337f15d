// What tells one state of a served model from another, as far as its server says it.
#pragma once

#include <optional>
#include <string>

#include "core/json.h"

namespace helio::eval {

// The entry of the model called `name` in a server's /v1/models, or null.
Json listed_model(const Json& models, const std::string& name);

// The hash that stands for a model behind an endpoint: of its URL, its name and the `content` that
// its server lists, if any.
std::string endpoint_content(const std::string& url, const std::string& name,
                             const std::string& listed_content);

// The same for openai:URL#name by asking /v1/models once, for at most 10 s; nothing when the server
// does not answer. The key is that of the environment variable. Error{usage} as split_endpoint.
std::optional<std::string> look_at_endpoint(const std::string& model,
                                            const std::string& key_variable);

}  // namespace helio::eval
