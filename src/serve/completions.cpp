// POST /v1/completions: text (or token ids) in, text out; with echo and logprobs it scores prompts.
#include <fmt/format.h>

#include "serve/api_error.h"
#include "serve/requests.h"
#include "serve/token_text.h"
#include "text/utf8.h"

namespace helio::serve {
namespace {

using Prompts = std::vector<std::vector<text::TokenId>>;

class CompletionForm final : public AnswerForm {
 public:
  // `prefixes`: what is echoed, by prompt; `choices` of each. `top` < 0: no log-probabilities.
  CompletionForm(const ServedModel& model, Prompts prompts, std::vector<std::string> prefixes,
                 size_t choices, int64_t top, bool echo)
      : model_(model), prefixes_(std::move(prefixes)), choices_(choices), top_(top), echo_(echo) {
    for (const auto& prompt : prompts) {
      for (size_t i = 0; i < choices; ++i) {
        scores_.emplace_back();
        if (echo_ && top_ >= 0) scores_.back().add_first(model_, prompt.front());
      }
    }
  }

  const char* id_prefix() const override { return "cmpl"; }
  const char* object(bool) const override { return "text_completion"; }
  OrderedJson opening(size_t) const override { return nullptr; }
  OrderedJson part(size_t choice, const std::string& text, OrderedJson log_probs,
                   const char* finish_reason) override {
    return {{"text", text},
            {"index", choice},
            {"logprobs", std::move(log_probs)},
            {"finish_reason", finish_reason ? OrderedJson(finish_reason) : OrderedJson()}};
  }
  OrderedJson whole(size_t choice, const std::string& text, OrderedJson log_probs,
                    const char* finish_reason) override {
    return part(choice, text, std::move(log_probs), finish_reason);
  }
  void add_prompt_scores(size_t choice, const std::vector<model::TokenScore>& scores) override {
    for (const auto& score : scores) add_score(choice, score);
  }
  void add_score(size_t choice, const model::TokenScore& score) override {
    if (top_ >= 0) scores_[choice].add(model_, score, static_cast<size_t>(top_));
  }
  OrderedJson take_scores(size_t choice) override {
    return top_ >= 0 ? scores_[choice].take() : OrderedJson();
  }
  const std::string& prefix(size_t choice) const override {
    static const std::string none;
    return echo_ ? prefixes_[choice / choices_] : none;
  }

 private:
  const ServedModel& model_;
  std::vector<std::string> prefixes_;
  size_t choices_;
  int64_t top_;
  bool echo_;
  std::vector<CompletionLogProbs> scores_ = {};
};

struct ReadPrompts {
  Prompts ids = {};
  std::vector<std::string> texts = {};
};

// A string, a list of strings, a list of ids or a list of lists of ids.
ReadPrompts read_prompts(const Call& call) {
  const Json& prompt = call.body.need("prompt");
  const auto wrong = [] {
    return ApiError(400,
                    "'prompt' must be a string, a list of strings, a list of token ids or a "
                    "list of such lists",
                    "prompt", "invalid_type");
  };
  const auto special = call.body.flag("add_special_tokens", true) ? text::SpecialTokens::add
                                                                  : text::SpecialTokens::skip;
  ReadPrompts out;
  const auto add_text = [&](const Json& text) {
    out.texts.push_back(text.get<std::string>());
    auto ids = call.model.tokenizer->encode(out.texts.back(), special);
    // An empty prompt: a document's beginning.
    const auto& roles = call.model.special_ids;
    if (ids.empty() && (roles.bos || roles.eos)) ids.push_back(roles.bos ? *roles.bos : *roles.eos);
    out.ids.push_back(std::move(ids));
  };
  const auto add_ids = [&](const Json& list) {
    out.ids.push_back(read_ids(call.model, list, "prompt"));
    std::string bytes;
    for (const auto id : out.ids.back()) bytes += token_bytes(call.model, id);
    out.texts.push_back(bytes);
  };
  if (prompt.is_string()) {
    add_text(prompt);
  } else if (prompt.is_array() && !prompt.empty() && prompt[0].is_number()) {
    add_ids(prompt);
  } else if (prompt.is_array() && !prompt.empty()) {
    for (const auto& one : prompt) {
      if (one.is_string()) add_text(one);
      else if (one.is_array() && !one.empty()) add_ids(one);
      else throw wrong();
    }
  } else {
    throw wrong();
  }
  return out;
}

}  // namespace

void completions(const Call& call) {
  Generating generating = read_generating(call, 16);
  const bool echo = call.body.flag("echo", false);
  const int64_t best_of = call.body.whole("best_of", generating.n, generating.n, 128);
  const bool streams = generating.answer.delivery == AnswerOptions::Delivery::stream;
  if (streams && best_of > generating.n)
    throw ApiError(400, "'best_of' above 'n' cannot be streamed", "best_of", "invalid_value");
  // A number of alternatives; some clients send a flag.
  int64_t top = -1;
  if (const Json* asked = call.body.find("logprobs")) {
    if (asked->is_boolean()) top = asked->get<bool>() ? 0 : -1;
    else top = call.body.whole("logprobs", 0, 0, 20);
  }
  generating.answer.best_of = static_cast<size_t>(best_of);
  generating.answer.keep = static_cast<size_t>(generating.n);
  auto prompts = read_prompts(call);
  for (const auto& ids : prompts.ids)
    generating.answer.prompt_tokens += static_cast<int64_t>(ids.size());
  generating.request.top = std::max<int64_t>(0, top);
  if (echo && top >= 0) generating.request.prompt_scores = model::PromptScores::report;
  for (auto& text : prompts.texts) text = text::repair_utf8(text);
  auto requests = spread(generating, prompts.ids);
  for (const auto& ids : prompts.ids)
    if (ids.empty()) throw ApiError(400, "a prompt has no tokens", "prompt", "invalid_value");
  auto form = std::make_unique<CompletionForm>(call.model, prompts.ids, std::move(prompts.texts),
                                               generating.answer.best_of, top, echo);
  const size_t choices = requests.size();
  submit(call,
         std::make_shared<Answer>(call.lease, call.reply, call.metrics, std::move(form),
                                  generating.answer, choices),
         std::move(requests));
}

}  // namespace helio::serve
