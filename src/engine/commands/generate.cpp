// Let a model go on from a prompt, or answer it in its chat template.
#include <algorithm>
#include <iostream>

#include "cli/command.h"
#include "core/error.h"
#include "model/language_model.h"
#include "nn/runtime.h"
#include "text/chat.h"
#include "text/text_stream.h"

namespace helio::engine {
namespace {

using text::TokenId;

class GenerateCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"model"},
            .required = {"model"},
            .examples = {"helio generate models/base --prompt \"The capital of Korea is\"",
                         "helio generate models/sdpo/step-2 --chat --prompt \"Name three fruits.\" "
                         "--temperature 0.7 --top-p 0.9"}};
  }

  void describe(Fields& f) override {
    f.input("model", model_, "Model folder (Hugging Face layout).");
    f("prompt", prompt_,
      "Text to go on from (empty: begin a document); with --chat what the user says.");
    f("chat", chat_, "Put the prompt into the SOLAR chat template.");
    f("system", system_, "With --chat: what the system says.");
    f("max_new_tokens", request_.max_new_tokens, "Longest answer, in tokens.", at_least(1));
    f("temperature", request_.temperature, "0 takes the most probable token each time.",
      at_least(0));
    f("top_p", request_.top_p, "Only the smallest set of tokens with this much probability.",
      between(0, 1));
    f("top_k", request_.top_k, "Only the k most probable tokens; 0: all.", at_least(0));
    f("seed", seed_, "Seed of the choices when temperature is above 0.", at_least(0));
    f("stop", stop_, "Texts that end the answer; they are not part of it.");
    f("dtype", load_.dtype, "Type to compute in.", one_of({"float32", "bfloat16"}));
    f("weights", load_.weights,
      "How matrices are held: f32, exact; bf16, int8 (Q8_0), int4 (Q4_0); auto: bf16 where the folder "
      "holds bfloat16, else f32.",
      one_of({"f32", "bf16", "int8", "int4", "auto"}));
    f("threads", threads_, "CPU threads; 0: all cores.", at_least(0));
  }

  int run(cli::Context& context) override {
    if (!system_.empty() && !chat_)
      throw Error(ErrorKind::usage, "--system has a meaning only with --chat");
    nn::prepare_runtime(threads_);
    const auto model = model::load_language_model(model_, load_);
    const auto eos = model->special_ids().eos;
    if (eos) request_.stop_ids.push_back(*eos);
    request_.prompt = prompt_ids(*model);
    request_.seed = static_cast<uint64_t>(seed_);
    warn_if_cut(*model, context);

    text::TextStream stream(stop_);
    std::string text;
    const auto show = [&](const std::string& part) {
      text += part;
      if (!context.json && !part.empty()) context.out << part << std::flush;
    };
    const auto& added = model->tokenizer().added_tokens();
    request_.on_token = [&](TokenId token) {
      const bool special = std::any_of(added.begin(), added.end(), [&](const text::AddedToken& a) {
        return a.id == token && a.special;
      });
      if (!special && token < model->tokenizer().vocab_size())
        show(stream.push(model->tokenizer().token_bytes(token)));
      return !stream.stopped() && !context.stop.raised();
    };
    const auto tokens = model->generate(request_);
    show(stream.finish());
    context.stop.check();
    const int64_t limit = std::min(request_.max_new_tokens, model->max_positions() - 1);
    const bool at_limit = static_cast<int64_t>(tokens.size()) == limit;
    const char* ended_by = stream.stopped() ? "stop" : at_limit ? "length" : "eos";
    if (context.json) {
      context.out << compact({{"prompt", prompt_},
                              {"text", text},
                              {"prompt_tokens", request_.prompt.size()},
                              {"new_tokens", tokens.size()},
                              {"ended_by", ended_by}})
                  << "\n";
    } else {
      context.out << "\n";
    }
    return 0;
  }

 private:
  std::vector<TokenId> prompt_ids(const model::LanguageModel& model) const {
    const auto eos = model.special_ids().eos;
    std::vector<TokenId> ids;
    if (chat_) {
      if (!eos) {
        throw Error(ErrorKind::invalid, "the chat template needs an end-of-text token")
            .with_hint("add eos_token to " + model_ + "/tokenizer_config.json");
      }
      std::vector<text::Message> messages;
      if (!system_.empty()) messages.push_back({"system", system_});
      messages.push_back({"user", prompt_});
      ids = text::render_solar(messages, model.tokenizer(), *eos, text::GenerationPrompt::add).ids;
    } else {
      ids = model.tokenizer().encode(prompt_);
    }
    // An empty prompt: a document's beginning.
    if (ids.empty() && model.special_ids().bos) ids.push_back(*model.special_ids().bos);
    if (ids.empty())
      throw Error(ErrorKind::usage, "the prompt is empty and the model has no begin-of-text token")
          .with_hint("give --prompt");
    return ids;
  }

  void warn_if_cut(const model::LanguageModel& model, cli::Context& context) const {
    const int64_t wanted = std::min(request_.max_new_tokens, model.max_positions() - 1);
    const int64_t room = model.max_positions() - wanted;
    const auto size = static_cast<int64_t>(request_.prompt.size());
    if (size <= room) return;
    context.monitor.warn("only the last " + std::to_string(room) + " of the prompt's " +
                         std::to_string(size) + " tokens fit into the model's " +
                         std::to_string(model.max_positions()) +
                         " positions with the answer (--max-new-tokens)");
  }

  std::string model_ = {}, prompt_ = {}, system_ = {};
  std::vector<std::string> stop_ = {};
  bool chat_ = false;
  int64_t seed_ = 0, threads_ = 0;
  model::GenerateRequest request_ = {};
  model::LoadOptions load_ = {};
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::GenerateCommand)
