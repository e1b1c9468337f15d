#include "text/tokenizer/post_processor.h"

#include <algorithm>
#include <string>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/unicode.h"

namespace helio::text {

TokenSpaces spaces_of(std::string_view token) {
  const auto is_space = [](char32_t c) { return c == byte_letters()[' '] || is_white_space(c); };
  const auto first = static_cast<uint8_t>(token.empty() ? 'a' : token.front()),
             last = static_cast<uint8_t>(token.empty() ? 'a' : token.back());
  if (first > ' ' && first < 0x80 && last > ' ' && last < 0x80) return {};
  TokenSpaces spaces;
  bool leading = true;
  for_each_code_point(token, [&](char32_t c, std::string_view) {
    const bool space = is_space(c);
    leading &= space;
    spaces.leading += leading;
    spaces.trailing = space ? spaces.trailing + 1 : 0;
  });
  return spaces;
}

PostProcessor::Template PostProcessor::read_template(const Json& json) const {
  const std::string of = "TemplateProcessing";
  const Json& single = member(json, "single", of);
  const Json& specials = member(json, "special_tokens", of);
  if (!single.is_array()) throw malformed(of + ": 'single' must be a list");
  Template made;
  int texts = 0;
  for (const auto& piece : single) {
    if (piece.is_object() && piece.contains("Sequence")) {
      const std::string which = text_member(piece["Sequence"], "id", of);
      if (which != "A") throw unsupported(of + "'s sequence in 'single'", which, "A");
      ++texts;
      continue;
    }
    const std::string name = text_member(member(piece, "SpecialToken", of + "'s piece"), "id", of);
    const Json& ids = member(member(specials, name.c_str(), of + "'s special_tokens"), "ids", of);
    if (!ids.is_array()) throw malformed(of + ": 'ids' must be a list");
    for (const auto& id : ids) (texts == 0 ? made.before : made.behind).push_back(read_id(id, of));
  }
  // Twice would double the ids at every such step.
  if (texts != 1) throw malformed(of + ": 'single' must have the sequence A once");
  return made;
}

void PostProcessor::read(const Json& json) {
  if (json.is_null()) return;
  const std::string type = text_member(json, "type", "post_processor");
  const auto trim = [&] {
    if (flag_member(json, "trim_offsets", type, true))
      trims_.push_back(flag_member(json, "add_prefix_space", type, true) ? PrefixSpace::added
                                                                         : PrefixSpace::absent);
  };
  const auto pair = [&](const char* key) {
    const Json& value = member(json, key, type);
    if (!value.is_array() || value.size() != 2 || !value[0].is_string())
      throw malformed(type + ": '" + key + "' must be a token and its id");
    return read_id(value[1], type);
  };
  if (type == "ByteLevel") {
    trim();
  } else if (type == "TemplateProcessing") {
    templates_.push_back(read_template(json));
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    if (type == "RobertaProcessing") trim();
    templates_.push_back({{pair("cls")}, {pair("sep")}});
  } else if (type == "Sequence") {
    const Json& list = member(json, "processors", "Sequence");
    if (!list.is_array()) throw malformed("Sequence's processors must be a list");
    for (const auto& step : list) read(step);
  } else {
    throw unsupported("post-processor", type,
                      "BertProcessing, ByteLevel, RobertaProcessing, Sequence, "
                      "TemplateProcessing, null");
  }
}

std::vector<TokenId> PostProcessor::added_ids() const {
  std::vector<TokenId> ids;
  for (const auto& step : templates_) {
    ids.insert(ids.end(), step.before.begin(), step.before.end());
    ids.insert(ids.end(), step.behind.begin(), step.behind.end());
  }
  return ids;
}

void PostProcessor::wrap(std::vector<TokenId>& ids, std::vector<Offset>* offsets) const {
  for (const auto& step : templates_) {
    ids.insert(ids.begin(), step.before.begin(), step.before.end());
    ids.insert(ids.end(), step.behind.begin(), step.behind.end());
    if (!offsets) continue;
    offsets->insert(offsets->begin(), step.before.size(), Offset{});
    offsets->insert(offsets->end(), step.behind.size(), Offset{});
  }
}

void PostProcessor::trim(std::vector<Offset>& offsets,
                         const std::vector<TokenSpaces>& spaces) const {
  for (const auto prefix : trims_)
    for (size_t i = 0; i < offsets.size(); ++i) {
      auto& [begin, end] = offsets[i];
      int64_t leading = spaces[i].leading;
      const int64_t trailing = spaces[i].trailing;
      if (leading > 0) {
        const bool first = i == 0 || begin == 0;
        if (first && prefix == PrefixSpace::added && leading == 1) leading = 0;
        begin = std::min(begin + leading, end);
      }
      if (trailing > 0 && end >= trailing) end = std::max(end - trailing, begin);
    }
}

}  // namespace helio::text
