// Log-probabilities of prompts from /v1/completions with echo, as lm-evaluation-harness's
// local-completions asks for them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/endpoint/endpoint_client.h"
#include "text/tokenizer.h"

namespace helio::eval {

// One token of a prompt, given those before it.
struct EchoedToken {
  std::optional<double> log_prob = {};  // nats; none for the first
  // The most probable tokens there, as the server writes them; servers add the token itself.
  std::vector<std::pair<std::string, double>> top = {};

  // The largest log-probability in `top`; nothing when it is empty.
  std::optional<double> best() const;
};
using EchoedPrompt = std::vector<EchoedToken>;  // as long as the prompt

// What a server replied to prompts of so many tokens. Error{invalid} says what it is not.
std::vector<EchoedPrompt> read_echo(const Json& reply, const std::vector<size_t>& lengths);

// One request for all prompts (ids); `depth`: alternatives asked for at each place. Every token but
// the first has a finite log-probability of at most 0 (1e-3 is rounding). A reply with other counts
// of prompts or tokens, or without log-probabilities, is refused as EndpointClient::post does it,
// with what is wrong in the message. `retries` is added to.
std::vector<EchoedPrompt> echo_prompts(EndpointClient& client,
                                       const std::vector<std::vector<text::TokenId>>& prompts,
                                       int64_t depth, int64_t& retries);

}  // namespace helio::eval
