// Let a model go on from a prompt, or answer it in its chat template.
#include <algorithm>
#include <iostream>
#include <optional>

#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "engine/adapter_options.h"
#include "engine/draft_options.h"
#include "engine/load_served_model.h"
#include "engine/precision_options.h"
#include "engine/sampling_options.h"
#include "engine/text_generation.h"
#include "nn/runtime.h"
#include "serve/token_text.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/json_schema.h"

namespace helio::engine {
namespace {

using text::TokenId;

struct Prompt {
  OrderedJson row = OrderedJson::object();  // what the answer's row begins with
  std::vector<TokenId> ids = {};
};

class GenerateCommand final : public cli::Command {
 public:
  cli::Card card() const override {
    return {.positional = {"model"},
            .required = {"model"},
            .examples = {
                "helio generate models/base --prompt \"The capital of Korea is\"",
                "helio generate models/sdpo/step-2 --chat --prompt \"Name three fruits.\" "
                "--temperature 0.7 --top-p 0.9",
                "helio generate models/chat --chat --in questions.jsonl --n 4 --temperature 1",
                "helio generate models/chat --chat --prompt \"A person\" --json-schema person.json",
                "helio generate models/upscaled --draft models/base --prompt \"The capital of "
                "Korea is\""}};
  }

  void describe(Fields& f) override {
    f.input("model", model_, "Model folder (Hugging Face layout) or GGUF file.");
    f("prompt", prompt_,
      "Text to go on from (empty: begin a document); with --chat what the user says.");
    f("in", in_,
      "Rows of JSON, many prompts at once: \"prompt\", or \"messages\" with --chat; answers are "
      "rows "
      "with what the row had.");
    f("chat", chat_, "Put the prompt into the model's chat template.");
    f("system", system_, "With --chat: what the system says.");
    f("max_new_tokens", request_.max_new_tokens, "Longest answer, in tokens.", at_least(1));
    f("n", n_, "Answers to each prompt, the most probable (a token) first.", between(1, 1000));
    auto& sampler = request_.sampler;
    describe_sampling(f, sampler);
    f("presence_penalty", sampler.presence_penalty, "Taken off the logits of the answer's tokens.",
      between(-2, 2));
    f("frequency_penalty", sampler.frequency_penalty, "The same, for each time a token was there.",
      between(-2, 2));
    f("seed", seed_, "Seed of the choices when temperature is above 0.", at_least(0));
    f("stop", stop_, "Texts that end the answer; they are not part of it.");
    f("json_schema", schema_, "File with a JSON schema that the answer must be valid under.");
    f("json_object", json_object_, "The answer must be a JSON object.");
    f("grammar", grammar_, "File with a grammar (GBNF) that the answer must be a text of.");
    f("log_probs", log_probs_,
      "With --json or --in: each token with its log-probability and so many alternatives; -1: "
      "none.",
      between(-1, 100));
    describe_precision(f, options_.dtype, options_.weights);
    describe_adapter(f, options_);
    describe_draft(f, options_);
    f("slots", options_.engine.slots, "Answers that are generated at once.", between(1, 1024));
    f("threads", threads_, "CPU threads; 0: all cores.", at_least(0));
  }

  int run(cli::Context& context) override {
    check_options();
    nn::prepare_runtime(threads_);
    options_.engine.waiting = INT64_MAX;
    const auto model = load_served_model("model", model_, options_);
    request_.grammar = grammar_of(model);
    request_.stop_ids = model.stop_ids;
    request_.top = std::max<int64_t>(0, log_probs_);
    auto prompts = read_prompts(model);
    const bool rows = context.json || !in_.empty();
    std::vector<TextRequest> requests;
    for (auto& prompt : prompts) {
      fit(model, prompt, context);
      for (int64_t i = 0; i < n_; ++i) {
        requests.push_back({.request = request_, .stops = stop_});
        requests.back().request.prompt = prompt.ids;
        requests.back().request.seed = static_cast<uint64_t>(seed_ + i);
      }
    }
    const bool live = !rows && n_ == 1;
    if (live)
      requests.front().on_text = [&](const std::string& part) {
        context.out << part << std::flush;
      };
    std::vector<TextAnswer> answers;
    generate_texts(
        model, std::move(requests), [&] { return !context.stop.raised(); },
        [&](size_t at, TextAnswer answer) {
          answers.push_back(std::move(answer));
          if (static_cast<int64_t>(answers.size()) < n_) return;
          std::stable_sort(answers.begin(), answers.end(), [](const auto& a, const auto& b) {
            return a.mean_log_prob() > b.mean_log_prob();
          });
          const auto& prompt = prompts[at / static_cast<size_t>(n_)];
          if (rows) context.out << compact(row_of(model, prompt, answers)) << "\n";
          else if (live) context.out << "\n";
          else write_choices(context, answers);
          answers.clear();
        });
    context.stop.check();
    return 0;
  }

 private:
  void check_options() const {
    const auto refuse = [](bool wrong, const char* what) {
      if (wrong) throw Error(ErrorKind::usage, what);
    };
    refuse(!system_.empty() && !chat_, "--system has a meaning only with --chat");
    refuse(!in_.empty() && !prompt_.empty(), "--in and --prompt are two places of prompts");
    refuse(int(!schema_.empty()) + int(json_object_) + int(!grammar_.empty()) > 1,
           "--json-schema, --json-object and --grammar: one of them");
  }

  std::shared_ptr<text::TokenGrammar> grammar_of(const serve::ServedModel& model) const {
    if (!schema_.empty()) {
      parse_json(read_file(schema_), schema_);  // its errors have a place
      const auto schema = OrderedJson::parse(read_file(schema_));
      return in_context([&] { return "reading " + schema_; },
                        [&] {
                          return model.grammars->find(
                              "schema", [&] { return text::json_schema_grammar(schema); });
                        });
    }
    if (json_object_) return model.grammars->find("object", text::json_object_grammar);
    if (grammar_.empty()) return nullptr;
    return model.grammars->find("grammar",
                                [&] { return text::parse_gbnf(read_file(grammar_), grammar_); });
  }

  std::vector<Prompt> read_prompts(const serve::ServedModel& model) const {
    std::vector<Prompt> out;
    if (in_.empty()) {
      out.push_back(prompt_of(model, {{"prompt", prompt_}}));
      return out;
    }
    LineReader lines(in_);
    for (std::string_view line; lines.next(line);) {
      if (line.find_first_not_of(" \t\r") == line.npos) continue;
      const std::string place = in_ + ":" + std::to_string(lines.number());
      parse_json(line, place);
      out.push_back(in_context([&] { return "reading " + place; },
                               [&] { return prompt_of(model, OrderedJson::parse(line)); }));
    }
    return out;
  }

  Prompt prompt_of(const serve::ServedModel& model, OrderedJson row) const {
    if (!row.is_object()) throw Error(ErrorKind::invalid, "a row must be an object");
    Prompt out{.row = std::move(row)};
    const bool messages = out.row.contains("messages");
    if (!messages && (!out.row.contains("prompt") || !out.row["prompt"].is_string()))
      throw Error(ErrorKind::invalid, "a row must have a \"prompt\"");
    if (messages && !chat_) throw Error(ErrorKind::usage, "rows with \"messages\" need --chat");
    if (chat_) {
      if (!model.render_chat)
        throw Error(ErrorKind::not_found, "'" + model_ + "' has no chat template")
            .with_hint(
                "put the model's chat_template.jinja into the folder (base models have none)");
      OrderedJson all = OrderedJson::array();
      if (!system_.empty()) all.push_back({{"role", "system"}, {"content", system_}});
      if (messages)
        for (const auto& message : out.row["messages"]) all.push_back(message);
      else all.push_back({{"role", "user"}, {"content", out.row["prompt"]}});
      // The template writes the special tokens itself.
      out.ids =
          model.tokenizer->encode(model.render_chat({.messages = all}), text::SpecialTokens::skip);
    } else {
      out.ids = model.tokenizer->encode(out.row["prompt"].get<std::string>());
    }
    // An empty prompt: a document's beginning.
    if (out.ids.empty() && model.special_ids.bos) out.ids.push_back(*model.special_ids.bos);
    if (out.ids.empty())
      throw Error(ErrorKind::usage, "the prompt is empty and the model has no begin-of-text token")
          .with_hint("give --prompt");
    return out;
  }

  // Of a prompt that is too long its end.
  void fit(const serve::ServedModel& model, Prompt& prompt, cli::Context& context) const {
    const int64_t positions = model.engine->max_positions();
    const int64_t room = positions - std::min(request_.max_new_tokens, positions - 1);
    const auto size = static_cast<int64_t>(prompt.ids.size());
    if (size <= room) return;
    context.monitor.warn("only the last " + std::to_string(room) + " of the prompt's " +
                         std::to_string(size) + " tokens fit into the model's " +
                         std::to_string(positions) +
                         " positions with the answer (--max-new-tokens)");
    prompt.ids.erase(prompt.ids.begin(), prompt.ids.end() - room);
  }

  OrderedJson choice_of(const serve::ServedModel& model, const TextAnswer& answer) const {
    OrderedJson out = {{"text", answer.text},
                       {"new_tokens", answer.tokens.size()},
                       {"ended_by", answer.ended_by},
                       {"log_prob", answer.log_prob}};
    if (!options_.draft.empty())
      out["draft"] = {{"proposed", answer.proposed}, {"accepted", answer.accepted}};
    if (log_probs_ < 0) return out;
    OrderedJson tokens = OrderedJson::array();
    for (const auto& token : answer.tokens)
      tokens.push_back(serve::chat_log_prob(model, token, static_cast<size_t>(log_probs_)));
    out["tokens"] = std::move(tokens);
    return out;
  }

  OrderedJson row_of(const serve::ServedModel& model, const Prompt& prompt,
                     const std::vector<TextAnswer>& answers) const {
    OrderedJson row = prompt.row;
    row["prompt_tokens"] = prompt.ids.size();
    if (n_ == 1) {
      const OrderedJson only = choice_of(model, answers.front());
      for (const auto& [key, value] : only.items()) row[key] = value;
    } else {
      row["choices"] = OrderedJson::array();
      for (const auto& answer : answers) row["choices"].push_back(choice_of(model, answer));
    }
    return row;
  }

  static void write_choices(cli::Context& context, const std::vector<TextAnswer>& answers) {
    for (size_t i = 0; i < answers.size(); ++i)
      context.out << "[" << i + 1 << "] " << answers[i].text << "\n";
  }

  std::string model_ = {}, prompt_ = {}, in_ = {}, system_ = {}, schema_ = {}, grammar_ = {};
  std::vector<std::string> stop_ = {};
  bool chat_ = false, json_object_ = false;
  int64_t seed_ = 0, threads_ = 0, n_ = 1, log_probs_ = -1;
  model::GenerationRequest request_ = {};
  ServedModelOptions options_ = {};
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::GenerateCommand)
