// POST /v1/embeddings, /tokenize, /detokenize and GET /tokenizer_info.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <bit>
#include <cstring>

#include "core/error.h"
#include "serve/api_error.h"
#include "serve/requests.h"
#include "serve/token_text.h"

namespace helio::serve {
namespace {

// A string, a list of strings, a list of ids or a list of lists of ids.
std::vector<std::vector<text::TokenId>> read_inputs(const Call& call) {
  const Json& input = call.body.need("input");
  std::vector<std::vector<text::TokenId>> out;
  const auto add = [&](const Json& one) {
    if (one.is_string()) out.push_back(call.model.tokenizer->encode(one.get<std::string>()));
    else if (one.is_array()) out.push_back(read_ids(call.model, one, "input"));
    else
      throw ApiError(400, "'input' must be text, token ids or a list of them", "input",
                     "invalid_type");
    const auto size = static_cast<int64_t>(out.back().size());
    if (size == 0) throw ApiError(400, "an input has no tokens", "input", "invalid_value");
    if (size > call.model.engine->max_positions())
      throw ApiError(400,
                     fmt::format("an input has {} tokens; this model has {} positions", size,
                                 call.model.engine->max_positions()),
                     "input", "context_length_exceeded");
  };
  if (input.is_array() && !input.empty() && !input[0].is_number()) {
    if (input.size() > 2048)
      throw ApiError(400, "'input' may have 2048 texts at most", "input", "invalid_value");
    for (const auto& one : input) add(one);
  } else {
    add(input);
  }
  return out;
}

std::string base64_floats(const std::vector<float>& values) {
  static_assert(std::endian::native == std::endian::little);
  std::string out(4 * ((values.size() * sizeof(float) + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(values.data()),
                                   static_cast<int>(values.size() * sizeof(float)));
  out.resize(static_cast<size_t>(size));
  return out;
}

}  // namespace

void embeddings(const Call& call) {
  const std::string encoding = call.body.text("encoding_format", "float");
  if (encoding != "float" && encoding != "base64")
    throw ApiError(400, "'encoding_format' is 'float' or 'base64'", "encoding_format",
                   "invalid_value");
  if (call.body.find("dimensions"))
    throw ApiError(400, "'dimensions' is not served: vectors have the model's width", "dimensions",
                   "unsupported_parameter");
  auto inputs = read_inputs(call);
  int64_t tokens = 0;
  for (const auto& ids : inputs) tokens += static_cast<int64_t>(ids.size());
  call.model.engine->embed(
      std::move(inputs),
      [reply = call.reply, lease = call.lease, name = call.model.name, tokens, encoding](
          model::GenerationEngine::Vectors vectors, const std::string& error) {
        if (!error.empty()) return reply.send(error_response(ApiError(500, error)));
        OrderedJson data = OrderedJson::array();
        for (const auto& vector : vectors)
          data.push_back({{"object", "embedding"},
                          {"index", data.size()},
                          {"embedding", encoding == "float" ? OrderedJson(vector)
                                                            : OrderedJson(base64_floats(vector))}});
        reply.send(
            {.body = compact({{"object", "list"},
                              {"data", std::move(data)},
                              {"model", name},
                              {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}})});
      });
}

void tokenize(const Call& call) {
  std::vector<text::TokenId> ids;
  if (call.body.find("messages")) {
    ids = chat_ids(call);
  } else {
    if (!call.body.need("prompt").is_string())
      throw ApiError(400, "'prompt' must be a string", "prompt", "invalid_type");
    const bool add = call.body.flag("add_special_tokens", true);
    ids = call.model.tokenizer->encode(call.body.text("prompt", ""),
                                       add ? text::SpecialTokens::add : text::SpecialTokens::skip);
  }
  OrderedJson out{{"tokens", ids},
                  {"count", ids.size()},
                  {"max_model_len", call.model.engine->max_positions()}};
  if (call.body.flag("return_token_strs", false)) {
    OrderedJson names = OrderedJson::array();
    for (const auto id : ids) names.push_back(token_name(call.model, id));
    out["token_strs"] = std::move(names);
  }
  call.reply.send({.body = compact(out)});
}

void detokenize(const Call& call) {
  const Json& tokens = call.body.need("tokens");
  if (!tokens.is_array()) throw ApiError(400, "'tokens' must be a list", "tokens", "invalid_type");
  const auto ids = read_ids(call.model, tokens, "tokens");
  call.reply.send(
      {.body = compact({{"prompt", call.model.tokenizer->decode(ids, text::SpecialTokens::add)}})});
}

OrderedJson tokenizer_info(const ServedModel& model) {
  const auto token = [&](const std::optional<text::TokenId>& id) {
    return id ? OrderedJson(token_name(model, *id)) : OrderedJson();
  };
  const auto& roles = model.special_ids;
  return {{"bos_token", token(roles.bos)},
          {"eos_token", token(roles.eos)},
          {"pad_token", token(roles.pad ? roles.pad : roles.eos)},
          {"unk_token", token(roles.unk)},
          {"vocab_size", model.tokenizer->vocab_size()},
          {"model_max_length", model.engine->max_positions()},
          {"chat_template",
           model.chat_template.empty() ? OrderedJson() : OrderedJson(model.chat_template)}};
}

}  // namespace helio::serve
