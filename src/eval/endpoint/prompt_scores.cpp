#include "eval/endpoint/prompt_scores.h"

#include <algorithm>
#include <cmath>

namespace helio::eval {
namespace {

Error refused(const std::string& what) { return {ErrorKind::invalid, what}; }

std::string count(size_t n, const char* what) { return std::to_string(n) + " " + what; }

EchoedPrompt read_choice(const Json& choice, size_t tokens) {
  if (!choice.is_object() || !choice.contains("logprobs") || !choice["logprobs"].is_object() ||
      !choice["logprobs"].contains("token_logprobs") ||
      !choice["logprobs"]["token_logprobs"].is_array())
    throw refused("the reply has no log-probabilities (choices[].logprobs.token_logprobs)");
  const Json& found = choice["logprobs"];
  const Json& numbers = found["token_logprobs"];
  // The prompt, and the one token that servers must make at least.
  if (numbers.size() < tokens || numbers.size() > tokens + 1)
    throw refused("log-probabilities of " + count(numbers.size(), "tokens") + " for a prompt of " +
                  count(tokens, "tokens and one more: the prompt is not echoed with them"));
  const auto tops = found.find("top_logprobs");
  const bool has_tops = tops != found.end() && tops->is_array();
  if (has_tops && tops->size() != numbers.size())
    throw refused("top_logprobs has " + count(tops->size(), "places, token_logprobs ") +
                  std::to_string(numbers.size()));
  EchoedPrompt out(tokens);
  for (size_t i = 0; i < tokens; ++i) {
    const Json& number = numbers[i];
    if (number.is_number()) {
      out[i].log_prob = number.get<double>();
      if (!std::isfinite(*out[i].log_prob) || *out[i].log_prob > 1e-3)
        throw refused("a log-probability is " + number.dump());
    } else if (i > 0) {
      throw refused("token " + std::to_string(i) + " of a prompt has no log-probability");
    }
    if (!has_tops || !(*tops)[i].is_object()) continue;
    for (const auto& [token, value] : (*tops)[i].items())
      if (value.is_number()) out[i].top.emplace_back(token, value.get<double>());
  }
  return out;
}

}  // namespace

std::optional<double> EchoedToken::best() const {
  std::optional<double> out;
  for (const auto& [token, value] : top)
    if (!out || value > *out) out = value;
  return out;
}

std::vector<EchoedPrompt> read_echo(const Json& reply, const std::vector<size_t>& lengths) {
  if (!reply.is_object() || !reply.contains("choices") || !reply["choices"].is_array())
    throw refused("the reply holds no choices");
  const Json& choices = reply["choices"];
  if (choices.size() != lengths.size())
    throw refused(count(choices.size(), "choices for ") + count(lengths.size(), "prompts"));
  std::vector<EchoedPrompt> out(lengths.size());
  for (size_t i = 0; i < choices.size(); ++i) {
    const Json& choice = choices[i];
    size_t place = i;
    if (choice.is_object() && choice.contains("index")) {
      if (!choice["index"].is_number_unsigned() ||
          choice["index"].get<uint64_t>() >= lengths.size())
        throw refused("a choice has the index " + choice["index"].dump());
      place = choice["index"].get<size_t>();
    }
    if (!out[place].empty()) throw refused("two choices have one index");
    out[place] = read_choice(choice, lengths[place]);
  }
  return out;
}

std::vector<EchoedPrompt> echo_prompts(EndpointClient& client,
                                       const std::vector<std::vector<text::TokenId>>& prompts,
                                       int64_t depth, int64_t& retries) {
  std::vector<EchoedPrompt> out;
  std::vector<size_t> lengths;
  for (const auto& prompt : prompts) lengths.push_back(prompt.size());
  retries += client.post("/completions",
                         {{"model", client.name()},
                          {"prompt", prompts},
                          {"temperature", 0},
                          {"max_tokens", 1},
                          {"logprobs", depth},
                          {"seed", 1234},
                          {"echo", true}},
                         [&](const Json& reply) { out = read_echo(reply, lengths); });
  return out;
}

}  // namespace helio::eval
