#include "engine/load_served_model.h"

#include <ctime>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/fs.h"
#include "core/manifest.h"
#include "model/load_decoder.h"
#include "model/local_model.h"
#include "model/paged_cache.h"
#include "text/chat_template.h"
#include "text/stop_ids.h"

namespace helio::engine {
namespace {

// The folder's own templates, read once; a folder without one is served for completions only.
void add_chat(serve::ServedModel& served, const fs::path& dir) {
  if (text::load_chat_files(dir).templates.empty()) return;
  const OrderedJson some_tools = OrderedJson::array();
  struct Templates {
    text::ChatTemplate plain, tools;
  };
  const auto templates = std::make_shared<const Templates>(
      Templates{text::ChatTemplate::load(dir), text::ChatTemplate::load(dir, {}, &some_tools)});
  served.chat_template = templates->plain.source();
  served.tool_format = serve::tool_format_of(templates->tools.source());
  served.render_chat = [templates](const serve::ChatPrompt& prompt) {
    const bool tools = !prompt.tools.is_null();
    text::ChatRequest request{.tools = tools ? &prompt.tools : nullptr,
                              .generation_prompt = prompt.generation_prompt};
    for (const auto& [name, value] : prompt.variables.items()) request.variables[name] = value;
    return (tools ? templates->tools : templates->plain).render(prompt.messages, request).text;
  };
}

// As JSON; a part of a character as U+FFFD.
std::string quoted(const std::string& bytes) {
  return OrderedJson(bytes).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

// Every id must be the same text: proposals are ids.
void check_same_vocabulary(const text::Tokenizer& model, const text::Tokenizer& draft) {
  const auto refuse = [](const std::string& how) {
    throw Error(ErrorKind::invalid, "the draft has another vocabulary than the model: " + how)
        .with_hint("a draft is a smaller model of the same family, or what a model was made from");
  };
  if (model.vocab_size() != draft.vocab_size())
    refuse(std::to_string(draft.vocab_size()) + " ids, not " + std::to_string(model.vocab_size()));
  const auto specials = [](const text::Tokenizer& tokenizer) {
    std::map<text::TokenId, std::string> out;
    for (const auto& token : tokenizer.added_tokens()) out[token.id] = token.content;
    return out;
  };
  const auto ours = specials(model), theirs = specials(draft);
  for (text::TokenId id = 0; id < model.vocab_size(); ++id) {
    const auto text_of = [&](const text::Tokenizer& tokenizer, const auto& added) {
      const auto found = added.find(id);
      return found == added.end() ? tokenizer.token_bytes(id) : found->second;
    };
    if (const auto here = text_of(model, ours), there = text_of(draft, theirs); here != there)
      refuse("id " + std::to_string(id) + " is " + quoted(there) + ", not " + quoted(here));
  }
}

model::Decoder load_draft(const ServedModelOptions& options, const text::Tokenizer& tokenizer) {
  return in_context([&] { return "loading the draft model in " + options.draft; },
                    [&] {
                      const auto own = text::load_tokenizer(options.draft);
                      check_same_vocabulary(tokenizer, *own);
                      auto decoder =
                          model::load_decoder_to_run(options.draft, options.dtype, options.weights);
                      model::check_vocabulary(decoder.config(), *own);
                      return decoder;
                    });
}

// Its weights, and keys and values of so many tokens.
uint64_t memory_of(const fs::path& dir, const ServedModelOptions& options, int64_t tokens) {
  const auto config = model::load_config_to_run(dir);
  return model::weight_bytes_to_run(dir, options.dtype, options.weights) +
         static_cast<uint64_t>(tokens * model::PagedCache::bytes_per_token(config, at::kFloat));
}

}  // namespace

serve::ServedModel load_served_model(const std::string& name, const fs::path& dir,
                                     const ServedModelOptions& options) {
  return in_context(
      [&] { return "loading the model in " + dir.string(); },
      [&] {
        serve::ServedModel served;
        served.name = name;
        served.created = static_cast<int64_t>(std::time(nullptr));
        served.facts = served_model_facts(dir, options);
        served.tokenizer = text::load_tokenizer(dir);
        served.special_ids = text::load_special_ids(dir, *served.tokenizer);
        served.stop_ids = text::load_stop_ids(dir, *served.tokenizer);
        served.grammars = std::make_unique<serve::GrammarStore>(*served.tokenizer);
        add_chat(served, dir);
        auto decoder =
            model::load_decoder_to_run(dir, options.dtype, options.weights, options.adapter);
        model::check_vocabulary(decoder.config(), *served.tokenizer);
        served.engine =
            options.draft.empty()
                ? model::make_generation_engine(std::move(decoder), options.engine)
                : model::make_generation_engine(
                      std::move(decoder), load_draft(options, *served.tokenizer), options.engine);
        return served;
      });
}

OrderedJson served_model_facts(const fs::path& dir, const ServedModelOptions& options) {
  OrderedJson facts = {
      {"content", nullptr}, {"dtype", options.dtype}, {"weights", options.weights}};
  if (options.adapter.empty() && has_manifest(dir)) facts["content"] = load_manifest(dir).content;
  return facts;
}

uint64_t memory_of_served_model(const fs::path& dir, const ServedModelOptions& options) {
  const auto config = model::load_config_to_run(dir);
  const int64_t tokens =
      options.engine.cache_tokens > 0 ? options.engine.cache_tokens : 4 * config.longest_sequence();
  return memory_of(dir, options, tokens) +
         (options.draft.empty() ? 0 : memory_of(options.draft, options, tokens));
}

}  // namespace helio::engine
