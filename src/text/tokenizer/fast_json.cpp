#include "text/tokenizer/fast_json.h"

#include <simdjson.h>

#include <set>
#include <string>

#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr int kDeepest = 100;

struct Unusual {};  // left to the other reader

Json to_json(const element& value, int depth = 0) {
  if (depth > kDeepest) throw Unusual();
  switch (value.type()) {
    case element_type::NULL_VALUE:
      return nullptr;
    case element_type::BOOL:
      return value.get_bool().value();
    case element_type::INT64: {
      const int64_t number = value.get_int64().value();
      if (number >= 0) return static_cast<uint64_t>(number);
      return number;
    }
    case element_type::UINT64:
      return value.get_uint64().value();
    case element_type::DOUBLE:
      return value.get_double().value();
    case element_type::STRING:
      return std::string(value.get_string().value());
    case element_type::ARRAY: {
      Json list = Json::array();
      const simdjson::dom::array items = value.get_array();
      for (const element item : items) list.push_back(to_json(item, depth + 1));
      return list;
    }
    case element_type::OBJECT: {
      Json object = Json::object();
      const simdjson::dom::object members = value.get_object();
      for (const auto [key, item] : members) object[std::string(key)] = to_json(item, depth + 1);
      return object;
    }
  }
  throw Unusual();
}

std::vector<TokenEntry> read_tokens(const element& vocabulary) {
  std::vector<TokenEntry> entries;
  const simdjson::dom::object object = vocabulary.get_object();
  entries.reserve(object.size());
  for (const auto [text, id] : object) {
    int64_t number = -1;
    if (id.get(number) != simdjson::SUCCESS || number < 0 || number > kLargestId) throw Unusual();
    entries.push_back({text, static_cast<TokenId>(number)});
  }
  return entries;
}

std::vector<MergeEntry> read_merges(const element& merges) {
  std::vector<MergeEntry> entries;
  const simdjson::dom::array list = merges.get_array();
  entries.reserve(list.size());
  for (const element item : list) {
    MergeEntry entry;
    std::string_view text;
    simdjson::dom::array pair;
    if (item.get(text) == simdjson::SUCCESS) {
      if (text.starts_with("#version")) continue;
      entry = split_merge(text);
    } else if (item.get(pair) == simdjson::SUCCESS && pair.size() == 2) {
      if (pair.at(0).get(entry.left) != simdjson::SUCCESS ||
          pair.at(1).get(entry.right) != simdjson::SUCCESS)
        throw Unusual();
    }
    if (!entry.left.data()) throw Unusual();
    entries.push_back(entry);
  }
  return entries;
}

Json read_model(const element& model, ModelLists& lists) {
  std::string_view type;
  if (model["type"].get(type) != simdjson::SUCCESS || type != "BPE") throw Unusual();
  Json json = Json::object();
  const simdjson::dom::object members = model.get_object();
  for (const auto [key, value] : members) {
    auto [place, is_new] = json.emplace(std::string(key), nullptr);
    if (!is_new) throw Unusual();
    if (key == "vocab") {
      lists.tokens = read_tokens(value);
      *place = Json::object();
    } else if (key == "merges") {
      lists.merges = read_merges(value);
      *place = Json::array();
    } else {
      *place = to_json(value);
    }
  }
  if (!json.contains("vocab") || !json.contains("merges")) throw Unusual();
  return json;
}

}  // namespace

bool FastJson::read(std::string_view text) {
  const auto parser = std::make_shared<simdjson::dom::parser>();
  memory = parser;
  try {
    const element whole = parser->parse(text.data(), text.size()).value();
    json = Json::object();
    const simdjson::dom::object members = whole.get_object();
    for (const auto [key, value] : members) {
      auto [place, is_new] = json.emplace(std::string(key), nullptr);
      if (!is_new) return false;
      *place = key == "model" ? read_model(value, lists) : to_json(value);
    }
    return json.contains("model");
  } catch (const simdjson::simdjson_error&) {
    return false;
  } catch (const Unusual&) {
    return false;
  }
}

}  // namespace helio::text
