#include "serve/response_format.h"

#include <fmt/format.h>

#include "core/error.h"
#include "serve/api_error.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/json_schema.h"

namespace helio::serve {
namespace {

using Unlisted = text::JsonSchemaOptions::Unlisted;

std::shared_ptr<text::TokenGrammar> find(const Call& call, const char* param,
                                         const std::string& key,
                                         const std::function<text::Grammar()>& make) {
  try {
    return call.model.grammars->find(key, make);
  } catch (const Error& error) {
    throw ApiError(400, fmt::format("'{}': {}", param, error.message()), param, "invalid_value");
  }
}

std::shared_ptr<text::TokenGrammar> of_schema(const Call& call, const char* param,
                                              const OrderedJson& schema, Unlisted unlisted) {
  const char* const kind = unlisted == Unlisted::refused ? "strict " : "schema ";
  return find(call, param, kind + compact(schema), [&] {
    return text::json_schema_grammar(schema,
                                     {.unlisted = unlisted, .limits = GrammarStore::kLimits});
  });
}

std::shared_ptr<text::TokenGrammar> of_format(const Call& call, const OrderedJson& format) {
  const char* const param = "response_format";
  const auto wrong = [&](const std::string& why) {
    return ApiError(400, "'response_format' " + why, param, "invalid_value");
  };
  if (!format.is_object() || !format.contains("type") || !format["type"].is_string())
    throw wrong("must be an object with a 'type'");
  const auto type = format["type"].get<std::string>();
  if (type == "text") return nullptr;
  if (type == "json_object")
    return find(call, param, "object", [] { return text::json_object_grammar(); });
  if (type != "json_schema")
    throw wrong("of type '" + type + "' is not served; text, json_object and json_schema are");
  const auto given = format.find("json_schema");
  if (given == format.end() || !given->is_object() || !given->contains("schema"))
    throw wrong("needs 'json_schema' with a 'schema'");
  const bool strict = given->contains("strict") && (*given)["strict"] == true;
  return of_schema(call, param, (*given)["schema"], strict ? Unlisted::refused : Unlisted::allowed);
}

}  // namespace

std::shared_ptr<text::TokenGrammar> read_response_format(const Call& call) {
  std::shared_ptr<text::TokenGrammar> out;
  const auto take = [&](const char* key, std::shared_ptr<text::TokenGrammar> grammar) {
    if (out && grammar)
      throw ApiError(400, fmt::format("'{}' is a second form of the answer", key), key,
                     "invalid_value");
    if (grammar) out = std::move(grammar);
  };
  if (call.body.find("response_format"))
    take("response_format", of_format(call, call.body.in_order("response_format")));
  if (call.body.find("guided_json")) {
    OrderedJson schema = call.body.in_order("guided_json");
    if (schema.is_string()) schema = OrderedJson::parse(schema.get<std::string>(), nullptr, false);
    take("guided_json", of_schema(call, "guided_json", schema, Unlisted::allowed));
  }
  if (call.body.find("grammar")) {
    const std::string text = call.body.text("grammar", "");
    take("grammar", find(call, "grammar", "gbnf " + text,
                         [&] { return text::parse_gbnf(text, "grammar", GrammarStore::kLimits); }));
  }
  return out;
}

}  // namespace helio::serve
