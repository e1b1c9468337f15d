// POST /v1/chat/completions: messages in, through the model's chat template, an answer out.
#include <fmt/format.h>

#include "core/error.h"
#include "serve/api_error.h"
#include "serve/requests.h"
#include "serve/token_text.h"

namespace helio::serve {
namespace {

class ChatForm final : public AnswerForm {
 public:
  // `top` < 0: no log-probabilities.
  ChatForm(const ServedModel& model, size_t choices, int64_t top)
      : model_(model), top_(top), scores_(choices, OrderedJson::array()) {}

  const char* id_prefix() const override { return "chatcmpl"; }
  const char* object(bool stream) const override {
    return stream ? "chat.completion.chunk" : "chat.completion";
  }
  OrderedJson opening(size_t choice) const override {
    return {{"index", choice},
            {"delta", {{"role", "assistant"}, {"content", ""}}},
            {"logprobs", nullptr},
            {"finish_reason", nullptr}};
  }
  OrderedJson part(size_t choice, const std::string& text, OrderedJson log_probs,
                   const char* finish_reason) const override {
    OrderedJson delta = OrderedJson::object();
    if (!text.empty()) delta["content"] = text;
    return {{"index", choice},
            {"delta", std::move(delta)},
            {"logprobs", std::move(log_probs)},
            {"finish_reason", finish_reason ? OrderedJson(finish_reason) : OrderedJson()}};
  }
  OrderedJson whole(size_t choice, const std::string& text, OrderedJson log_probs,
                    const char* finish_reason) const override {
    return {{"index", choice},
            {"message", {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}}},
            {"logprobs", std::move(log_probs)},
            {"finish_reason", finish_reason}};
  }
  void add_prompt_scores(size_t, const std::vector<model::TokenScore>&) override {}
  void add_score(size_t choice, const model::TokenScore& score) override {
    if (top_ >= 0)
      scores_[choice].push_back(chat_log_prob(model_, score, static_cast<size_t>(top_)));
  }
  OrderedJson take_scores(size_t choice) override {
    if (top_ < 0) return nullptr;
    return {{"content", std::exchange(scores_[choice], OrderedJson::array())},
            {"refusal", nullptr}};
  }
  const std::string& prefix(size_t) const override {
    static const std::string none;
    return none;
  }

 private:
  const ServedModel& model_;
  int64_t top_;
  std::vector<OrderedJson> scores_;
};

// Content may come in parts: [{"type": "text", "text": "..."}]. Templates see one string.
OrderedJson plain_messages(const OrderedJson& messages) {
  const auto wrong = [](const std::string& why) {
    return ApiError(400, "'messages' " + why, "messages", "invalid_value");
  };
  if (!messages.is_array() || messages.empty()) throw wrong("must be a list of messages");
  OrderedJson out = OrderedJson::array();
  for (const auto& message : messages) {
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string())
      throw wrong("must have a 'role' in every message");
    OrderedJson plain = message;
    const auto content = message.find("content");
    if (content != message.end() && content->is_array()) {
      std::string text;
      for (const auto& part : *content) {
        if (!part.is_object() || part.value("type", "") != "text" || !part.contains("text") ||
            !part["text"].is_string())
          throw wrong("has content that is no text; this server reads text only");
        text += part["text"].get<std::string>();
      }
      plain["content"] = text;
    } else if (content != message.end() && !content->is_string() && !content->is_null()) {
      throw wrong("has content that is neither a string nor a list of parts");
    }
    out.push_back(std::move(plain));
  }
  return out;
}

std::vector<text::TokenId> chat_ids(const Call& call) {
  call.body.need("messages");
  const OrderedJson messages = plain_messages(call.body.in_order("messages"));
  if (!call.model.render_chat)
    throw ApiError(400,
                   fmt::format("the model '{}' has no chat template; use /v1/completions",
                               call.model.name),
                   "messages", "no_chat_template");
  const ChatPrompt prompt{.messages = messages,
                          .tools = call.body.in_order("tools"),
                          .variables = call.body.in_order("chat_template_kwargs"),
                          .generation_prompt = call.body.flag("add_generation_prompt", true)};
  if (!prompt.variables.is_null() && !prompt.variables.is_object())
    throw ApiError(400, "'chat_template_kwargs' must be an object", "chat_template_kwargs",
                   "invalid_type");
  std::string text;
  try {
    text = call.model.render_chat(prompt);
  } catch (const Error& error) {
    throw ApiError(400, "the chat template refuses these messages: " + error.message(), "messages",
                   "invalid_value");
  }
  // The template writes the special tokens itself.
  return call.model.tokenizer->encode(text, text::SpecialTokens::skip);
}

}  // namespace

void chat_completions(const Call& call) {
  const int64_t positions = call.model.engine->max_positions();
  Generating generating = read_generating(call, positions);
  const bool wanted = call.body.flag("logprobs", false);
  const int64_t top = call.body.whole("top_logprobs", 0, 0, 20);
  if (!wanted && call.body.find("top_logprobs"))
    throw ApiError(400, "'top_logprobs' needs 'logprobs': true", "top_logprobs", "invalid_value");
  generating.request.top = wanted ? top : 0;
  generating.answer.best_of = generating.answer.keep = static_cast<size_t>(generating.n);
  const auto ids = chat_ids(call);
  generating.answer.prompt_tokens = static_cast<int64_t>(ids.size());
  auto requests = spread(generating, {ids});
  const size_t choices = requests.size();
  auto form = std::make_unique<ChatForm>(call.model, choices, wanted ? top : -1);
  submit(call,
         std::make_shared<Answer>(call.model, call.reply, call.metrics, std::move(form),
                                  generating.answer, choices),
         std::move(requests));
}

}  // namespace helio::serve
