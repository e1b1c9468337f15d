// POST /v1/chat/completions: messages in, through the model's chat template, an answer out.
#include <fmt/format.h>

#include <iterator>

#include "core/error.h"
#include "serve/api_error.h"
#include "serve/requests.h"
#include "serve/token_text.h"
#include "serve/tools.h"

namespace helio::serve {
namespace {

class ChatForm final : public AnswerForm {
 public:
  // `top` < 0: no log-probabilities.
  ChatForm(const ServedModel& model, size_t choices, int64_t top, const ToolRequest& tools,
           ToolCallStream::Calls calls)
      : model_(model),
        top_(top),
        scores_(choices, OrderedJson::array()),
        tools_(choices, ToolCallStream(tools.format, tools.given, calls)) {}

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
                   const char* finish_reason) override {
    ToolCallStream& tools = tools_[choice];
    auto fresh = tools.push(text);
    if (finish_reason) add_rest(fresh, tools.finish());
    OrderedJson delta = OrderedJson::object();
    if (!fresh.text.empty()) delta["content"] = fresh.text;
    if (!fresh.calls.empty()) delta["tool_calls"] = pieces_json(fresh.calls);
    if (delta.empty() && !finish_reason && log_probs.is_null()) return nullptr;
    finish_reason = reason_with_calls(tools, finish_reason);
    return {{"index", choice},
            {"delta", std::move(delta)},
            {"logprobs", std::move(log_probs)},
            {"finish_reason", finish_reason ? OrderedJson(finish_reason) : OrderedJson()}};
  }
  OrderedJson whole(size_t choice, const std::string& text, OrderedJson log_probs,
                    const char* finish_reason) override {
    ToolCallStream& tools = tools_[choice];
    auto all = tools.push(text);
    add_rest(all, tools.finish());
    OrderedJson message = {{"role", "assistant"}, {"content", all.text}, {"refusal", nullptr}};
    if (!all.calls.empty()) {
      if (all.text.empty()) message["content"] = nullptr;
      message["tool_calls"] = calls_json(all.calls);
    }
    return {{"index", choice},
            {"message", std::move(message)},
            {"logprobs", std::move(log_probs)},
            {"finish_reason", reason_with_calls(tools, finish_reason)}};
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
  static void add_rest(ToolCallStream::Part& all, ToolCallStream::Part rest) {
    all.text += rest.text;
    std::move(rest.calls.begin(), rest.calls.end(), std::back_inserter(all.calls));
  }
  static const char* reason_with_calls(const ToolCallStream& tools, const char* reason) {
    return reason && tools.calls() > 0 && std::string_view(reason) == "stop" ? "tool_calls"
                                                                             : reason;
  }
  static OrderedJson begun_call(const ToolCallStream::Piece& call) {
    return {{"id", fresh_id("call")},
            {"type", "function"},
            {"function", {{"name", *call.name}, {"arguments", call.arguments}}}};
  }
  static OrderedJson calls_json(const std::vector<ToolCallStream::Piece>& calls) {
    OrderedJson out = OrderedJson::array();
    for (const auto& call : calls) out.push_back(begun_call(call));
    return out;
  }
  // In a stream: the index with every piece, the rest with the first.
  static OrderedJson pieces_json(const std::vector<ToolCallStream::Piece>& pieces) {
    OrderedJson out = OrderedJson::array();
    for (const auto& piece : pieces) {
      OrderedJson one = {{"index", piece.call}};
      if (piece.name) one.update(begun_call(piece));
      else one["function"] = {{"arguments", piece.arguments}};
      out.push_back(std::move(one));
    }
    return out;
  }

  const ServedModel& model_;
  int64_t top_;
  std::vector<OrderedJson> scores_;
  std::vector<ToolCallStream> tools_;
};

// Arguments of earlier calls are texts in the API and objects in templates.
void open_arguments(OrderedJson& message) {
  const auto calls = message.find("tool_calls");
  if (calls == message.end() || !calls->is_array()) return;
  for (auto& call : *calls) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) continue;
    const auto given = call["function"].find("arguments");
    if (given == call["function"].end() || !given->is_string()) continue;
    try {
      const auto text = given->get<std::string>();
      parse_json(text, "arguments");  // its depth
      const auto object = OrderedJson::parse(text);
      if (object.is_object()) *given = object;
    } catch (const std::exception&) {  // the template sees them as they are
    }
  }
}

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
    open_arguments(plain);
    out.push_back(std::move(plain));
  }
  return out;
}

}  // namespace

std::vector<text::TokenId> chat_ids(const Call& call, const std::string& given) {
  call.body.need("messages");
  const OrderedJson messages = plain_messages(call.body.in_order("messages"));
  if (!call.model.render_chat)
    throw ApiError(
        400,
        fmt::format("the model '{}' has no chat template; use /v1/completions", call.model.name),
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
  return call.model.tokenizer->encode(text + given, text::SpecialTokens::skip);
}

void chat_completions(const Call& call) {
  const int64_t positions = call.model.engine->max_positions();
  Generating generating = read_generating(call, positions);
  const bool wanted = call.body.flag("logprobs", false);
  const int64_t top = call.body.whole("top_logprobs", 0, 0, 20);
  if (!wanted && call.body.find("top_logprobs"))
    throw ApiError(400, "'top_logprobs' needs 'logprobs': true", "top_logprobs", "invalid_value");
  generating.request.top = wanted ? top : 0;
  generating.answer.best_of = generating.answer.keep = static_cast<size_t>(generating.n);
  ToolRequest tools = read_tools(call);
  // An answer whose form is given calls nothing.
  if (generating.request.grammar) tools = {};
  if (tools.grammar) generating.request.grammar = tools.grammar;
  for (const auto& mark : tool_marks(tools.format))
    if (const auto id = call.model.tokenizer->id_of(mark))
      generating.answer.shown_ids.push_back(*id);
  const auto ids = chat_ids(call, tools.given);
  generating.answer.prompt_tokens = static_cast<int64_t>(ids.size());
  auto requests = spread(generating, {ids});
  const size_t choices = requests.size();
  const auto calls = generating.answer.delivery == AnswerOptions::Delivery::stream
                         ? ToolCallStream::Calls::pieces
                         : ToolCallStream::Calls::whole;
  auto form = std::make_unique<ChatForm>(call.model, choices, wanted ? top : -1, tools, calls);
  submit(call,
         std::make_shared<Answer>(call.lease, call.reply, call.metrics, std::move(form),
                                  generating.answer, choices),
         std::move(requests));
}

}  // namespace helio::serve
