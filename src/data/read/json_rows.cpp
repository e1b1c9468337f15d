#include "data/read/json_rows.h"

#include <simdjson.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

namespace helio::data {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

// A parser keeps several times the largest row it met: after a giant it is made anew.
constexpr size_t kKeepParser = size_t(4) << 20;

simdjson::dom::parser& parser_of_thread() {
  thread_local std::unique_ptr<simdjson::dom::parser> parser;
  if (!parser || parser->capacity() > kKeepParser)
    parser = std::make_unique<simdjson::dom::parser>();
  return *parser;
}

// The last member of that name, as Python's json reads repeated keys; else the path a.b.c.
bool find(const object& in, std::string_view name, element& found) {
  bool any = false;
  for (const auto& [key, value] : in)
    if (key == name) found = value, any = true;
  if (any) return true;
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return false;
  element outer;
  object inner;
  return find(in, name.substr(0, dot), outer) && outer.get(inner) == simdjson::SUCCESS &&
         find(inner, name.substr(dot + 1), found);
}

// A string as it is, a number or boolean as JSON writes it, nothing for the rest.
std::string plain(const element& value) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string(text);
  if (value.is_number() || value.is_bool()) return simdjson::minify(value);
  return {};
}

std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string reason_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::DEPTH_ERROR:
      return "the row is nested too deeply";
    case simdjson::UTF8_ERROR:
      return "its bytes are not UTF-8";
    case simdjson::STRING_ERROR:
      return "the row is not JSON: a string with a broken escape";
    default:
      return "the row is not JSON";
  }
}

// Numbers beyond 64 bits are JSON, but not to simdjson: they become the nearest double.
bool tame_numbers(std::string_view json, std::string& tamed) {
  // Deep nesting was refused before numbers are looked at only where it comes first: a bound of our
  // own keeps the other parser's recursion small.
  int64_t depth = 0, deepest = 0;
  for (const char c : json) {
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    else if (c == ']' || c == '}') --depth;
  }
  if (deepest > 512) return false;
  const auto parsed = nlohmann::ordered_json::parse(json, nullptr, false);
  if (parsed.is_discarded()) return false;
  tamed = parsed.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return true;
}

}  // namespace

void JsonRows::give(std::string_view json, size_t room, int64_t row, DocumentSink& sink) const {
  simdjson::dom::parser& parser = parser_of_thread();
  element root;
  auto error = parser.parse(json.data(), json.size(), room < simdjson::SIMDJSON_PADDING).get(root);
  if (error == simdjson::NUMBER_ERROR) {
    if (std::string tamed; tame_numbers(json, tamed)) error = parser.parse(tamed).get(root);
  }
  if (error != simdjson::SUCCESS) return sink.bad_row(row, reason_of(error));
  const std::string& text_name = options_.text();
  object members;
  element found;
  if (root.get(members) != simdjson::SUCCESS || !find(members, text_name, found))
    return sink.bad_row(row, "the row has no '" + text_name + "'");
  if (found.is_null()) return sink.empty();
  std::string_view text;
  if (found.get(text) != simdjson::SUCCESS)
    return sink.bad_row(row, "'" + text_name + "' is not a string");

  RowFacts facts;
  const auto take = [&](const std::string& name, std::string& to) {
    if (element value; !name.empty() && find(members, name, value)) to = plain(value);
  };
  take(options_.id_column, facts.id);
  if (!options_.id_column.empty() && facts.id.empty())
    return sink.bad_row(row, "the row has no '" + options_.id_column + "'");
  take(options_.url_column, facts.url);
  take(options_.language_column, facts.language);
  if (options_.keep_columns || !options_.columns.empty()) {
    const auto keep = [&](std::string_view key) {
      if (!options_.columns.empty())
        return std::find(options_.columns.begin(), options_.columns.end(), key) !=
               options_.columns.end();
      return key != text_name;
    };
    for (const auto& [key, value] : members)
      if (keep(key))
        facts.meta.append(facts.meta.empty() ? "{" : ",")
            .append(quoted(key))
            .append(":")
            .append(simdjson::minify(value));
    if (!facts.meta.empty()) facts.meta += '}';
  }
  sink.row(row, std::string(text), "text", std::move(facts));
}

}  // namespace helio::data
