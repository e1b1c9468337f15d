#include "text/tokenizer/model_lists.h"

#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {

TokenEntries read_token_entries(const Json& object) {
  if (!object.is_object()) throw malformed("the vocabulary must be an object of tokens and ids");
  TokenEntries entries;
  entries.reserve(object.size());
  for (auto item = object.begin(); item != object.end(); ++item) {
    const std::string& token = item.key();
    if (!item->is_number_unsigned() || item->get<uint64_t>() > static_cast<uint64_t>(kLargestId))
      read_id(*item, "token '" + token + "'");  // says what is wrong
    entries.push_back({token, item->get<TokenId>()});
  }
  return entries;
}

MergeEntry split_merge(std::string_view text) {
  size_t space = text.size();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ' ') continue;
    if (space != text.size()) return {};
    space = i;
  }
  if (space == text.size()) return {};
  return {text.substr(0, space), text.substr(space + 1)};
}

MergeEntries read_merge_entries(const Json& list) {
  if (!list.is_array()) throw malformed("the merges must be a list");
  MergeEntries entries;
  entries.reserve(list.size());
  for (const auto& item : list) {
    MergeEntry entry;
    if (item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string()) {
      entry = {item[0].get_ref<const std::string&>(), item[1].get_ref<const std::string&>()};
    } else if (item.is_string()) {
      const auto& text = item.get_ref<const std::string&>();
      if (text.starts_with("#version")) continue;
      entry = split_merge(text);
    }
    if (!entry.left.data())
      throw malformed("merge " + std::to_string(entries.size()) + " is no pair of tokens");
    entries.push_back(entry);
  }
  return entries;
}

}  // namespace helio::text
