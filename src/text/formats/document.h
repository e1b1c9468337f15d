// Pieces of tokenizer.json documents that several readers write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer.h"

namespace helio::text {

// A whole document without the model, all parts null.
OrderedJson empty_document();

// An id as JSON has it: readers ask for numbers without a sign.
inline uint32_t json_id(TokenId id) { return static_cast<uint32_t>(id); }

enum class Special { no, yes };
OrderedJson added_token(TokenId id, std::string_view content, Special special);

// TemplateProcessing that puts tokens around a text; null when there are none.
struct NamedId {
  std::string token = {};
  TokenId id = 0;
};
OrderedJson template_processor(const std::vector<NamedId>& before,
                               const std::vector<NamedId>& behind);

// "vocab" from tokens by id without looking each one up; equal tokens stay twice in it.
OrderedJson vocabulary_object(const std::vector<std::string>& tokens);

// Adds a member without looking whether there is one of that name.
void append_member(OrderedJson& object, std::string key, OrderedJson value);

// Parses JSON keeping the order of members, in linear time: nlohmann's own reader looks for each
// member among all others. Errors as parse_json.
OrderedJson parse_ordered(std::string_view text, const std::string& source);

std::string to_base64(std::string_view bytes);

}  // namespace helio::text
