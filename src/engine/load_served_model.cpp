#include "engine/load_served_model.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "checkpoint/hf_config.h"
#include "core/error.h"
#include "core/fs.h"
#include "model/load_decoder.h"
#include "model/local_model.h"
#include "model/paged_cache.h"
#include "nn/tensor_io.h"
#include "text/chat_template.h"

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

}  // namespace

std::vector<text::TokenId> stop_ids_of(const fs::path& dir, const text::SpecialIds& special,
                                       const text::Tokenizer& tokenizer) {
  std::vector<text::TokenId> ids;
  const auto add = [&](const Json& id) {
    if (id.is_number_unsigned() &&
        id.get<uint64_t>() < static_cast<uint64_t>(tokenizer.vocab_size()))
      ids.push_back(id.get<text::TokenId>());
  };
  if (const fs::path file = dir / "generation_config.json"; fs::exists(file)) {
    const Json json = load_json(file);
    if (const auto eos = json.find("eos_token_id"); eos != json.end()) {
      if (eos->is_array()) std::for_each(eos->begin(), eos->end(), add);
      else add(*eos);
    }
  }
  if (special.eos && std::find(ids.begin(), ids.end(), *special.eos) == ids.end())
    ids.push_back(*special.eos);
  return ids;
}

serve::ServedModel load_served_model(const std::string& name, const fs::path& dir,
                                     const ServedModelOptions& options) {
  return in_context(
      [&] { return "loading the model in " + dir.string(); },
      [&] {
        serve::ServedModel served;
        served.name = name;
        served.created = static_cast<int64_t>(std::time(nullptr));
        served.tokenizer = text::load_tokenizer(dir);
        served.special_ids = text::load_special_ids(dir, *served.tokenizer);
        served.stop_ids = stop_ids_of(dir, served.special_ids, *served.tokenizer);
        served.grammars = std::make_unique<serve::GrammarStore>(*served.tokenizer);
        add_chat(served, dir);
        auto decoder = model::load_decoder_to_run(dir, options.dtype, options.weights);
        model::check_vocabulary(decoder.config(), *served.tokenizer);
        served.engine = model::make_generation_engine(std::move(decoder), options.engine);
        return served;
      });
}

uint64_t memory_of_served_model(const fs::path& dir, const ServedModelOptions& options) {
  const auto dtype = nn::parse_scalar_type(options.dtype);
  const auto config = checkpoint::load_decoder_config(dir);
  const int64_t tokens =
      options.engine.cache_tokens > 0 ? options.engine.cache_tokens : 4 * config.longest_sequence();
  return model::weight_bytes_to_run(dir, options.dtype, options.weights) +
         static_cast<uint64_t>(tokens * model::PagedCache::bytes_per_token(config, dtype));
}

}  // namespace helio::engine
