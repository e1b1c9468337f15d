// A JSON schema (draft 2020-12, and what draft 7 says otherwise for definitions) as a grammar of
// the JSON texts that it allows. Members come in the schema's order, further ones behind them; a
// text that the grammar has is always valid. A keyword that no grammar can say, or that is not
// known, is an Error{invalid} that names it with its place: "$.properties.age: ...".
#pragma once

#include <string>

#include "core/json.h"
#include "text/grammar/grammar.h"

namespace helio::text {

struct JsonSchemaOptions {
  // Members that the schema does not list, where it does not say "additionalProperties": allowed,
  // as JSON Schema has it, or not (OpenAI's strict).
  enum class Unlisted { allowed, refused } unlisted = Unlisted::allowed;
  GrammarLimits limits = {};
};

Grammar json_schema_grammar(const OrderedJson& schema, const JsonSchemaOptions& options = {});
// The same as part of a larger grammar.
GrammarSequence json_schema_rules(GrammarBuilder& builder, const OrderedJson& schema,
                                  const JsonSchemaOptions& options = {});
// Any JSON object.
Grammar json_object_grammar();

}  // namespace helio::text
