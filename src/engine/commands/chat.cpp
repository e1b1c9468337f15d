// Talk with a model in the terminal.
#include <unistd.h>

#include <iostream>
#include <optional>

#include "cli/command.h"
#include "cli/line_editor.h"
#include "core/error.h"
#include "core/fs.h"
#include "engine/adapter_options.h"
#include "engine/draft_options.h"
#include "engine/load_served_model.h"
#include "engine/precision_options.h"
#include "engine/sampling_options.h"
#include "engine/text_generation.h"
#include "nn/runtime.h"

namespace helio::engine {
namespace {

constexpr const char* kHelp =
    "/reset        begin again (the system's text stays)\n"
    "/system TEXT  what the system says from here on; without a text: show it\n"
    "/undo         take the last question and its answer back\n"
    "/save FILE    the conversation as a row of JSON, as `helio sft` reads it\n"
    "/quit         end (Ctrl-D, too)\n"
    "Ctrl-C stops an answer; what it had said stays.\n";

class ChatCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"model"},
            .required = {"model"},
            .examples = {"helio chat models/sdpo/step-2",
                         "helio chat models/chat --system \"Answer in Korean.\" --temperature 0"}};
  }

  void describe(Fields& f) override {
    f.input("model", model_,
            "Model folder (Hugging Face layout) or GGUF file, with a chat template.");
    f("system", system_, "What the system says.");
    f("max_new_tokens", request_.max_new_tokens, "Longest answer, in tokens.", at_least(1));
    describe_sampling(f, request_.sampler);
    f("seed", seed_, "Seed of the choices when temperature is above 0.", at_least(0));
    describe_precision(f, options_.dtype, options_.weights);
    describe_adapter(f, options_);
    describe_draft(f, options_);
    f("threads", threads_, "CPU threads; 0: all cores.", at_least(0));
  }

  int run(cli::Context& context) override {
    nn::prepare_runtime(threads_);
    options_.engine.slots = 1;
    model_served_ = load_served_model("model", model_, options_);
    if (!model_served_.render_chat)
      throw Error(ErrorKind::not_found, "'" + model_ + "' has no chat template")
          .with_hint("put the model's chat_template.jinja into the folder (base models have none)");
    request_.stop_ids = model_served_.stop_ids;
    const bool typed = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (typed) {
      context.out << "/help lists commands, Ctrl-D ends." << std::endl;
      terminal_.emplace();
    }
    for (std::string line; read(context, line);) {
      if (line.find_first_not_of(" \t") == line.npos) continue;
      // A mistake ends neither the conversation nor the program.
      try {
        if (line.front() == '/') {
          if (!command(line, context)) break;
        } else {
          answer(line, context);
        }
      } catch (const Error& error) {
        context.out << error.what() << std::endl;
      }
      context.stop.check();
    }
    return 0;
  }

 private:
  bool read(const cli::Context& context, std::string& line) {
    if (!terminal_)
      return !context.stop.raised() && static_cast<bool>(std::getline(std::cin, line));
    while (!context.stop.raised()) {
      const auto ended = terminal_->read_line("> ", line);
      if (ended != cli::Terminal::Ended::cancelled) return ended == cli::Terminal::Ended::line;
    }
    return false;
  }

  // False: the end.
  bool command(const std::string& line, cli::Context& context) {
    const size_t space = line.find(' ');
    const std::string name = line.substr(0, space);
    std::string rest = space == line.npos ? "" : line.substr(space + 1);
    if (name == "/quit" || name == "/exit") return false;
    if (name == "/help") {
      context.out << kHelp << std::flush;
    } else if (name == "/reset") {
      messages_ = OrderedJson::array();
      ++seed_;
      context.out << "(a new conversation)" << std::endl;
    } else if (name == "/system") {
      if (!rest.empty()) system_ = rest;
      context.out << "(system: " << (system_.empty() ? "nothing" : system_) << ")" << std::endl;
    } else if (name == "/undo") {
      undo(context);
    } else if (name == "/save") {
      if (rest.empty()) throw Error(ErrorKind::usage, "/save needs a file's name");
      write_file_atomic(rest, compact({{"messages", all_messages()}}) + "\n");
      context.out << "(saved to " << rest << ")" << std::endl;
    } else {
      context.out << "no command " << name << "; /help lists them" << std::endl;
    }
    return true;
  }

  void undo(cli::Context& context) {
    if (messages_.empty()) {
      context.out << "(nothing to take back)" << std::endl;
      return;
    }
    for (int i = 0; i < 2; ++i) messages_.erase(messages_.size() - 1);
    ++seed_;  // another answer next time
    context.out << "(taken back; " << messages_.size() / 2 << " left)" << std::endl;
  }

  OrderedJson all_messages() const {
    OrderedJson out = OrderedJson::array();
    if (!system_.empty()) out.push_back({{"role", "system"}, {"content", system_}});
    for (const auto& message : messages_) out.push_back(message);
    return out;
  }

  void answer(const std::string& question, cli::Context& context) {
    OrderedJson messages = all_messages();
    messages.push_back({{"role", "user"}, {"content", question}});
    TextRequest asked{.request = request_};
    asked.request.prompt = model_served_.tokenizer->encode(
        model_served_.render_chat({.messages = messages}), text::SpecialTokens::skip);
    const auto size = static_cast<int64_t>(asked.request.prompt.size());
    const int64_t positions = model_served_.engine->max_positions();
    if (size >= positions)
      throw Error(ErrorKind::invalid, "the conversation has " + std::to_string(size) +
                                          " tokens, the model " + std::to_string(positions) +
                                          " positions")
          .with_hint("/undo or /reset");
    asked.request.seed = static_cast<uint64_t>(seed_);
    // What has been shown is what has been said: an answer that was stopped stays as it is.
    std::string said;
    asked.on_text = [&](const std::string& part) {
      said += part;
      context.out << part << std::flush;
    };
    bool stopped = false;
    const char* ended_by = "";
    const auto keep_on = [&] {
      stopped = stopped || context.stop.raised() || (terminal_ && terminal_->interrupted());
      return !stopped;
    };
    std::vector<TextRequest> one;
    one.push_back(std::move(asked));
    generate_texts(model_served_, std::move(one), keep_on,
                   [&](size_t, const TextAnswer& whole) { ended_by = whole.ended_by; });
    if (stopped) context.out << " (stopped)";
    else if (ended_by == std::string_view("length")) context.out << " (cut: --max-new-tokens)";
    context.out << std::endl;
    messages_.push_back({{"role", "user"}, {"content", question}});
    messages_.push_back({{"role", "assistant"}, {"content", said}});
  }

  std::string model_ = {}, system_ = {};
  int64_t seed_ = 0, threads_ = 0;
  model::GenerationRequest request_ = {.max_new_tokens = 1024,
                                       .sampler = {.temperature = 0.7, .top_p = 0.95}};
  ServedModelOptions options_ = {};
  serve::ServedModel model_served_ = {};
  OrderedJson messages_ = OrderedJson::array();  // questions and answers in turn
  std::optional<cli::Terminal> terminal_ = {};
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::ChatCommand)
