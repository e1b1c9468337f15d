#include "eval/endpoint/endpoint_probe.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace helio::eval {
namespace {

using Ids = std::vector<text::TokenId>;

constexpr int64_t kDepth = 5;
// What two runs of half-precision models, or rounding, may differ by, in nats.
constexpr double kSlack = 0.1;
constexpr double kSumSlack = 0.02;

const std::vector<std::string> kTexts = {
    "The capital of France is Paris, and the capital of Japan is Tokyo.",
    "One, two, three, four, five, six, seven, eight, nine, ten.",
    "Water boils when it is heated, and it freezes when it is cooled."};

std::string checked(const EchoedPrompt& prompt) {
  for (size_t i = 1; i < prompt.size(); ++i) {
    const EchoedToken& token = prompt[i];
    const auto best = token.best();
    if (!best)
      return "it names no alternatives (top_logprobs) for the prompt's tokens, so a greedy token "
             "cannot be told";
    if (*token.log_prob > *best + kSlack)
      return "a token is more probable than the best one in its place";
    double sum = 0;
    for (const auto& [name, value] : token.top) sum += std::exp(value);
    if (!(sum <= 1 + kSumSlack))
      return "the probabilities in one place sum to " + std::to_string(sum);
  }
  return {};
}

double sum_of(const EchoedPrompt& prompt) {
  double out = 0;
  for (const auto& token : prompt) out += token.log_prob.value_or(0);
  return out;
}

// Ids taken so that none stays in its place: the first stays (it is given), the others change
// places by halves and backwards.
Ids shuffled(const Ids& ids) {
  Ids out = {ids.front()};
  for (size_t i = ids.size() - 1; i > 0; --i) out.push_back(ids[i]);
  std::rotate(out.begin() + 1, out.begin() + 1 + static_cast<ptrdiff_t>(out.size() / 3), out.end());
  return out;
}

// The names of the most probable token at a place: several when they are equally so.
std::vector<std::string> names_of_best(const EchoedToken& token) {
  std::vector<std::string> out;
  for (const auto& [name, value] : token.top)
    if (value == *token.best()) out.push_back(name);
  return out;
}

class Probe {
 public:
  Probe(EndpointClient& client, const text::Tokenizer& tokenizer)
      : client_(client), tokenizer_(tokenizer) {}

  std::string refusal() {
    for (const auto& text : kTexts) texts_.push_back(tokenizer_.encode(text));
    for (const Ids& ids : texts_)
      if (ids.size() < 4) return "the tokenizer makes almost nothing of plain text";
    const auto echoed = ask(texts_);
    for (const auto& prompt : echoed)
      if (const auto wrong = checked(prompt); !wrong.empty()) return wrong;
    found["alternatives"] = depth_of(echoed);
    std::string reason;
    int64_t told = 0;
    for (size_t t = 0; t < texts_.size() && reason.empty(); ++t)
      reason = own_best(texts_[t], echoed[t].back(), told);
    found["best_tokens_scored"] = told;
    if (!reason.empty() || told) return reason;
    return in_order(echoed);
  }

  OrderedJson found = OrderedJson::object();

 private:
  std::vector<EchoedPrompt> ask(const std::vector<Ids>& prompts) {
    int64_t retries = 0;
    return echo_prompts(client_, prompts, kDepth, retries);
  }

  static size_t depth_of(const std::vector<EchoedPrompt>& echoed) {
    size_t out = kDepth;
    for (const auto& prompt : echoed)
      for (size_t i = 1; i < prompt.size(); ++i) out = std::min(out, prompt[i].top.size());
    return out;
  }

  // The text less its last token, continued by the best token that was announced there, and by
  // others.
  std::string own_best(const Ids& text, const EchoedToken& last, int64_t& told) {
    const double announced = *last.best();
    std::optional<text::TokenId> best;
    for (const auto& name : names_of_best(last))
      if (!best) best = id_of_name(tokenizer_, name);
    if (!best) return {};
    std::vector<text::TokenId> endings = {*best};
    for (const Ids& other : texts_)
      for (const size_t place : {other.size() / 2, size_t{1}})
        if (std::find(endings.begin(), endings.end(), other[place]) == endings.end())
          endings.push_back(other[place]);
    std::vector<Ids> prompts;
    for (const auto ending : endings) {
      prompts.push_back(text);
      prompts.back().back() = ending;
    }
    const auto echoed = ask(prompts);
    double sum = 0, least = 0;
    for (size_t i = 0; i < echoed.size(); ++i) {
      if (const auto wrong = checked(echoed[i]); !wrong.empty()) return wrong;
      const EchoedToken& token = echoed[i].back();
      if (std::abs(*token.best() - announced) > kSlack)
        return "the most probable token of one place changes with what follows it";
      sum += std::exp(*token.log_prob);
      least = std::min(least, *token.log_prob);
    }
    const double own = *echoed[0].back().log_prob;
    if (std::abs(own - announced) > kSlack || own <= least)
      return "the model's own next token does not score above tokens taken from elsewhere";
    if (sum > 1 + kSumSlack)
      return "the probabilities of different tokens in one place sum to " + std::to_string(sum);
    ++told;
    return {};
  }

  std::string in_order(const std::vector<EchoedPrompt>& echoed) {
    std::vector<Ids> prompts;
    for (const Ids& ids : texts_) prompts.push_back(shuffled(ids));
    const auto other = ask(prompts);
    double natural = 0, mixed = 0;
    for (const auto& prompt : echoed) natural += sum_of(prompt);
    for (const auto& prompt : other) mixed += sum_of(prompt);
    return natural > mixed ? "" : "plain text scores no higher than the same tokens shuffled";
  }

  EndpointClient& client_;
  const text::Tokenizer& tokenizer_;
  std::vector<Ids> texts_ = {};
};

}  // namespace

EndpointProbe probe_endpoint(EndpointClient& client, const text::Tokenizer& tokenizer) {
  EndpointProbe out;
  Probe probe(client, tokenizer);
  try {
    out.refused = probe.refusal();
  } catch (const EndpointError& error) {
    const int status = error.status();
    if (status == 0 || status == 401 || status == 403 || status == 429) throw;
    out.refused = error.message();
  }
  out.found = std::move(probe.found);
  return out;
}

std::optional<text::TokenId> id_of_name(const text::Tokenizer& tokenizer, const std::string& name) {
  constexpr std::string_view kId = "token_id:", kBytes = "bytes:";
  std::string bytes = name;
  if (name.starts_with(kId)) {
    text::TokenId id = 0;
    const auto [end, error] =
        std::from_chars(name.data() + kId.size(), name.data() + name.size(), id);
    if (error == std::errc() && end == name.data() + name.size() && id >= 0) return id;
  } else if (name.starts_with(kBytes)) {
    bytes.clear();
    for (size_t at = kBytes.size(); at + 4 <= name.size(); at += 4) {
      unsigned value = 0;
      if (name.compare(at, 2, "\\x") != 0 ||
          std::from_chars(name.data() + at + 2, name.data() + at + 4, value, 16).ptr !=
              name.data() + at + 4)
        return std::nullopt;
      bytes.push_back(static_cast<char>(value));
    }
  }
  const auto ids = tokenizer.encode(bytes, text::SpecialTokens::skip);
  if (ids.size() == 1 && tokenizer.token_bytes(ids[0]) == bytes) return ids[0];
  for (text::TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    try {
      if (tokenizer.token_bytes(id) == bytes) return id;
    } catch (const std::exception&) {  // a hole in the vocabulary
    }
  }
  return std::nullopt;
}

}  // namespace helio::eval
