// Can an endpoint's log-probabilities be trusted? Asked before it is scored on any task:
// llama.cpp's server, for one, takes `echo` and answers with the generated token's alone, which
// would score every task at chance.
#pragma once

#include <functional>
#include <string>

#include "core/json.h"
#include "eval/endpoint/prompt_scores.h"

namespace helio::eval {

struct EndpointProbe {
  std::string refused = {};                   // why it cannot score; empty: it can
  OrderedJson found = OrderedJson::object();  // what was seen, for results.json
};

// Sends three short texts, then endings of them, and checks: as many log-probabilities as tokens;
// alternatives at each place, so that a greedy token can be told; probabilities that sum to no more
// than one; a token's no larger than the best there; the model's own best next token scored as it
// was announced, and above tokens taken from elsewhere (text in its order above shuffled text,
// where the best token's id cannot be told from its name). Replies of the status 4xx (but 401, 403
// and 429) and 5xx, and replies that are not what the protocol says, are reasons as well; the
// rest is EndpointError.
EndpointProbe probe_endpoint(EndpointClient& client, const text::Tokenizer& tokenizer);

// The id of a token that a server names so: its text, bytes:\xe2\x82, or token_id:5.
std::optional<text::TokenId> id_of_name(const text::Tokenizer& tokenizer, const std::string& name);

}  // namespace helio::eval
