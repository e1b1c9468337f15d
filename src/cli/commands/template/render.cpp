// Render conversations with a model's chat template, as transformers does.
#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "text/chat_template.h"

namespace helio::cli {
namespace {

class TemplateRender final : public Command {
 public:
  Card card() const override {
    return {.required = {"tokenizer", "messages"},
            .examples = {"helio template render --tokenizer models/solar --messages chat.json "
                         "--generation-prompt",
                         "helio template render --tokenizer models/qwen3 --messages chats.jsonl "
                         "--tools tools.json "
                         "--var enable_thinking=false --mask"}};
  }

  void describe(Fields& f) override {
    f.input("tokenizer", tokenizer_,
            "Model or tokenizer folder (chat template, special tokens, tokenizer.json).");
    f("messages", messages_,
      "A list of messages or {\"messages\": [...]} (.json), or a line each of these (.jsonl, .gz "
      "and .zst too).");
    f("template", template_, "A template file, or the name of one of the folder's templates.");
    f("tools", tools_, "JSON file: list of tools as JSON schemas.");
    f("documents", documents_, "JSON file: list of documents.");
    f("var", variables_, "More variables: NAME=JSON; what is no JSON is a text.");
    f("generation_prompt", generation_prompt_, "End with what lets the assistant speak.");
    f("continue_final", continue_final_, "End within the final message, for the model to go on.");
    f("mask", mask_,
      "Write what is the assistant's: spans in characters, and with --ids a mask of tokens.");
    f("ids", ids_, "Write the token ids.");
  }

  int run(Context& context) override {
    if (continue_final_ && (generation_prompt_ || mask_))
      throw Error(ErrorKind::usage,
                  "--continue-final does not go with --generation-prompt or --mask");
    OrderedJson tools, documents;
    text::ChatRequest request{.generation_prompt = generation_prompt_};
    if (!tools_.empty()) request.tools = &(tools = load_list(tools_));
    if (!documents_.empty()) request.documents = &(documents = load_list(documents_));
    if (continue_final_) request.final_message = text::FinalMessage::to_be_continued;
    for (const auto& variable : variables_) add_variable(request, variable);
    const text::ChatTemplate chat = load_template(request.tools);
    if (mask_ && !chat.marks_assistant())
      context.monitor.warn(
          "the template has no {% generation %} block: nothing is marked as the assistant's");
    if (ids_) tokenizer_loaded_ = text::load_tokenizer(tokenizer_);

    bool lines = false;
    const auto conversations = load_conversations(lines);
    lines = lines || context.json || mask_ || ids_;
    for (const auto& [messages, place] : conversations) {
      context.stop.check();
      const auto rendered = in_context([&] { return "rendering " + place; },
                                       [&] { return chat.render(messages, request); });
      if (lines) context.out << compact(as_json(rendered)) << "\n";
      else context.out << rendered.text;
    }
    return 0;
  }

 private:
  struct Conversation {
    OrderedJson messages = {};
    std::string place = {};
  };

  static OrderedJson load_list(const std::string& path) {
    OrderedJson json = text::jinja::parse_ordered_json(read_file(path), path);
    if (!json.is_array()) throw Error(ErrorKind::invalid, path + ": must be a list");
    return json;
  }

  static void add_variable(text::ChatRequest& request, const std::string& given) {
    const size_t equals = given.find('=');
    if (equals == given.npos || equals == 0)
      throw Error(ErrorKind::usage, "--var " + given + ": must be NAME=JSON");
    const std::string value = given.substr(equals + 1);
    OrderedJson json = OrderedJson::parse(value, nullptr, false);
    if (json.is_discarded()) json = value;
    request.variables[given.substr(0, equals)] = std::move(json);
  }

  text::ChatTemplate load_template(const OrderedJson* tools) const {
    if (!template_.empty() && fs::is_regular_file(template_))
      return {read_file(template_), template_, text::load_chat_files(tokenizer_).special};
    return text::ChatTemplate::load(tokenizer_, template_, tools);
  }

  static Conversation conversation(OrderedJson json, const std::string& place) {
    if (json.is_object() && json.contains("messages")) return {std::move(json["messages"]), place};
    if (json.is_array()) return {std::move(json), place};
    throw Error(ErrorKind::invalid,
                place + ": must be a list of messages or {\"messages\": [...]}");
  }

  std::vector<Conversation> load_conversations(bool& lines) const {
    std::vector<Conversation> out;
    lines = messages_.find(".jsonl") != messages_.npos;
    if (!lines) {
      out.push_back(conversation(text::jinja::parse_ordered_json(read_file(messages_), messages_),
                                 messages_));
      return out;
    }
    LineReader reader(messages_);
    std::string_view line;
    for (int64_t number = 1; reader.next(line); ++number) {
      if (line.find_first_not_of(" \t\r") == line.npos) continue;
      const std::string place = messages_ + ":" + std::to_string(number);
      out.push_back(conversation(text::jinja::parse_ordered_json(line, place), place));
    }
    return out;
  }

  OrderedJson as_json(const text::jinja::Rendered& rendered) const {
    OrderedJson out = {{"text", rendered.text}};
    if (mask_) {
      OrderedJson spans = OrderedJson::array();
      for (const auto& span : rendered.generation) spans.push_back({span.begin, span.end});
      out["assistant_spans"] = std::move(spans);
    }
    if (!ids_) return out;
    const auto encoding =
        tokenizer_loaded_->encode_with_offsets(rendered.text, text::SpecialTokens::skip);
    out["ids"] = encoding.ids;
    if (mask_) out["assistant_mask"] = text::assistant_mask(encoding, rendered.generation);
    return out;
  }

  std::string tokenizer_ = {}, messages_ = {}, template_ = {}, tools_ = {}, documents_ = {};
  std::vector<std::string> variables_ = {};
  bool generation_prompt_ = false, continue_final_ = false, mask_ = false, ids_ = false;
  std::unique_ptr<text::Tokenizer> tokenizer_loaded_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::TemplateRender)
