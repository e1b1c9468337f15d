#include "text/tokenizer/fast_json.h"

#include <simdjson.h>

#include <string>

#include "text/tokenizer/list_scanner.h"
#include "text/utf8.h"

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
      for (const auto [key, item] : members)
        if (!object.emplace(std::string(key), to_json(item, depth + 1)).second) throw Unusual();
      return object;
    }
  }
  throw Unusual();
}

}  // namespace

bool FastJson::read(std::string_view text) {
  std::string rest;
  if (!is_valid_utf8(text) || !ListScanner(text, lists, unescaped).read(rest)) return false;
  simdjson::dom::parser parser;
  try {
    json = to_json(parser.parse(rest));
  } catch (const simdjson::simdjson_error&) {
    return false;
  } catch (const Unusual&) {
    return false;
  }
  // Escaped in another way, the names of the two could be there again.
  const Json& model = json["model"];
  return model.contains("type") && model["type"] == "BPE" && model["vocab"] == Json::object() &&
         model["merges"] == Json::array();
}

}  // namespace helio::text
