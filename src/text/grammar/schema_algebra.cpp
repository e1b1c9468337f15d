#include "text/grammar/schema_algebra.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "core/error.h"

namespace helio::text {
namespace {

constexpr int kDepth = 64;  // of references and schemas merged into each other
constexpr int64_t kMerged = 100'000;

enum Type : uint32_t {
  kNull = 1,
  kBool = 2,
  kFraction = 4,
  kInteger = 8,
  kString = 16,
  kArray = 32,
  kObject = 64,
  kAll = 127
};

uint32_t type_named(const std::string& name) {
  if (name == "null") return kNull;
  if (name == "boolean") return kBool;
  if (name == "number") return kFraction | kInteger;
  if (name == "integer") return kInteger;
  if (name == "string") return kString;
  if (name == "array") return kArray;
  return name == "object" ? kObject : 0;
}

uint32_t type_of(const OrderedJson& value) {
  if (value.is_null()) return kNull;
  if (value.is_boolean()) return kBool;
  if (value.is_number_integer()) return kInteger;
  if (value.is_number()) return kFraction | kInteger;
  if (value.is_string()) return kString;
  return value.is_array() ? kArray : kObject;
}

bool has(const OrderedJson& list, const OrderedJson& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::optional<OrderedJson> values_of(const OrderedJson& schema) {
  if (!schema.is_object()) return std::nullopt;
  if (schema.contains("const")) return OrderedJson::array({schema["const"]});
  if (schema.contains("enum") && schema["enum"].is_array()) return schema["enum"];
  return std::nullopt;
}

}  // namespace

void fail_schema(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::invalid, path + ": " + what);
}

void check_kinds(const OrderedJson& schema, const std::string& path) {
  if (!schema.is_object()) return;
  const auto is_text = [](const OrderedJson& value) { return value.is_string(); };
  const auto is_object = [](const OrderedJson& value) { return value.is_object(); };
  const auto is_list = [](const OrderedJson& value) { return value.is_array(); };
  const auto is_number = [](const OrderedJson& value) { return value.is_number(); };
  const auto is_texts = [&](const OrderedJson& value) {
    return value.is_array() && std::all_of(value.begin(), value.end(), is_text);
  };
  struct Kind {
    const char* key;
    std::function<bool(const OrderedJson&)> good;
    const char* wanted;
  };
  const Kind kinds[] = {{"type", [&](const auto& v) { return is_text(v) || is_texts(v); },
                         "a name or a list of names"},
                        {"properties", is_object, "an object"},
                        {"required", is_texts, "a list of names"},
                        {"enum", is_list, "a list"},
                        {"anyOf", is_list, "a list of schemas"},
                        {"oneOf", is_list, "a list of schemas"},
                        {"allOf", is_list, "a list of schemas"},
                        {"prefixItems", is_list, "a list of schemas"},
                        {"$ref", is_text, "a string"},
                        {"pattern", is_text, "a string"},
                        {"format", is_text, "a string"},
                        {"minimum", is_number, "a number"},
                        {"maximum", is_number, "a number"},
                        {"exclusiveMinimum", is_number, "a number"},
                        {"exclusiveMaximum", is_number, "a number"},
                        {"minLength", is_number, "a number"},
                        {"maxLength", is_number, "a number"},
                        {"minItems", is_number, "a number"},
                        {"maxItems", is_number, "a number"}};
  for (const auto& kind : kinds)
    if (const auto value = schema.find(kind.key); value != schema.end() && !kind.good(*value))
      fail_schema(path + "." + kind.key, std::string("must be ") + kind.wanted);
}

bool SchemaAlgebra::is_annotation(const std::string& keyword) {
  static constexpr const char* kNames[] = {
      "title",   "description", "default",          "examples",        "example",      "$schema",
      "$id",     "$comment",    "deprecated",       "readOnly",        "writeOnly",    "$defs",
      "$anchor", "definitions", "contentMediaType", "contentEncoding", "discriminator"};
  return keyword.starts_with("x-") ||
         std::any_of(std::begin(kNames), std::end(kNames),
                     [&](const char* name) { return keyword == name; });
}

bool SchemaAlgebra::asserts(const OrderedJson& schema) {
  for (const auto& [key, value] : schema.items())
    if (!is_annotation(key)) return true;
  return false;
}

const OrderedJson& SchemaAlgebra::target(const OrderedJson& reference,
                                         const std::string& path) const {
  if (!reference.is_string()) fail_schema(path + ".$ref", "must be a string");
  auto pointer = reference.get<std::string>();
  if (!pointer.starts_with("#") || (pointer.size() > 1 && pointer[1] != '/'))
    fail_schema(path + ".$ref",
                "'" + pointer + "' is not in this schema; references begin with #/");
  // Percent-escapes, as in any URI fragment.
  std::string plain;
  for (size_t i = 1; i < pointer.size(); ++i) {
    const bool escape = pointer[i] == '%' && i + 2 < pointer.size() &&
                        std::isxdigit(static_cast<uint8_t>(pointer[i + 1])) &&
                        std::isxdigit(static_cast<uint8_t>(pointer[i + 2]));
    if (escape) plain += static_cast<char>(std::stoi(pointer.substr(i + 1, 2), nullptr, 16));
    else plain += pointer[i];
    if (escape) i += 2;
  }
  try {
    const OrderedJson::json_pointer place(plain);
    if (root_.contains(place)) return root_.at(place);
  } catch (const nlohmann::json::exception&) {}
  fail_schema(path + ".$ref", "'" + pointer + "' names nothing");
}

const OrderedJson& SchemaAlgebra::followed(const OrderedJson& schema,
                                           const std::string& path) const {
  const OrderedJson* at = &schema;
  for (int depth = 0; at->is_object() && at->contains("$ref"); ++depth) {
    if (depth == kDepth) fail_schema(path + ".$ref", "is a circle");
    at = &target((*at)["$ref"], path);
  }
  return *at;
}

// A schema without $ref and allOf on its own level.
OrderedJson SchemaAlgebra::resolved(const OrderedJson& schema, const std::string& path, int depth) {
  if (depth > kDepth) fail_schema(path, "schemas refer to each other without end");
  check_kinds(schema, path);
  if (!schema.is_object() || !(schema.contains("$ref") || schema.contains("allOf"))) return schema;
  OrderedJson out = schema;
  out.erase("$ref");
  out.erase("allOf");
  if (schema.contains("$ref")) out = both(target(schema["$ref"], path), out, path, depth + 1);
  if (schema.contains("allOf")) {
    if (!schema["allOf"].is_array()) fail_schema(path + ".allOf", "must be a list of schemas");
    for (const auto& part : schema["allOf"]) out = both(out, part, path + ".allOf", depth + 1);
  }
  return out;
}

OrderedJson SchemaAlgebra::both(const OrderedJson& a, const OrderedJson& b, const std::string& path,
                                int depth) {
  OrderedJson out = resolved(a, path, depth), other = resolved(b, path, depth);
  if (out.is_boolean()) return out.get<bool>() ? other : out;
  if (other.is_boolean()) return other.get<bool>() ? out : other;
  if (!out.is_object() || !other.is_object())
    fail_schema(path, "a schema must be an object, true or false");
  check_kinds(out, path);
  check_kinds(other, path);
  merge_members(out, other, path, depth);
  for (const auto& [key, value] : other.items()) merge_keyword(out, key, value, path, depth);
  return out;
}

// What both say of objects' members: one's further members meet the other's listed ones.
void SchemaAlgebra::merge_members(OrderedJson& out, const OrderedJson& b, const std::string& path,
                                  int depth) {
  const auto listed = [](const OrderedJson& schema) {
    const auto found = schema.find("properties");
    return found != schema.end() && found->is_object() ? *found : OrderedJson::object();
  };
  const OrderedJson ours = listed(out), theirs = listed(b);
  const OrderedJson our_rest = out.value("additionalProperties", OrderedJson(true));
  const OrderedJson their_rest = b.value("additionalProperties", OrderedJson(true));
  if (ours.empty() && theirs.empty()) return;
  OrderedJson all = OrderedJson::object();
  for (const auto& [name, schema] : ours.items())
    all[name] = both(schema, theirs.contains(name) ? theirs[name] : their_rest,
                     path + ".properties." + name, depth + 1);
  for (const auto& [name, schema] : theirs.items())
    if (!ours.contains(name))
      all[name] = both(our_rest, schema, path + ".properties." + name, depth + 1);
  out["properties"] = std::move(all);
}

void SchemaAlgebra::merge_keyword(OrderedJson& out, const std::string& key,
                                  const OrderedJson& value, const std::string& path, int depth) {
  if (++merged_ > kMerged) fail_schema(path, "schemas merged into each other grow too large");
  if (key == "properties" && out.contains(key)) return;  // merge_members
  if (key == "const" && out.contains("enum")) {
    if (!has(out["enum"], value)) out["enum"] = OrderedJson::array();
    else out["enum"] = OrderedJson::array({value});
    return;
  }
  if (key == "enum" && out.contains("const")) {
    const OrderedJson single = OrderedJson::array({out["const"]});
    out.erase("const");
    out["enum"] = has(value, single[0]) ? single : OrderedJson::array();
    return;
  }
  if (!out.contains(key) || is_annotation(key)) {
    if (!out.contains(key)) out[key] = value;
    return;
  }
  OrderedJson& ours = out[key];
  if (ours == value) return;
  const auto larger = [&] { return value.is_number() && ours.is_number() && value > ours; };
  const auto smaller = [&] { return value.is_number() && ours.is_number() && value < ours; };
  if (key == "type") {
    OrderedJson names = OrderedJson::array();
    const auto list = [](const OrderedJson& t) {
      return t.is_array() ? t : OrderedJson::array({t});
    };
    for (const auto& one : list(ours))
      for (const auto& other : list(value)) {
        if (one == other) names.push_back(one);
        else if ((one == "integer" && other == "number") || (one == "number" && other == "integer"))
          names.push_back("integer");
      }
    ours = names;
  } else if (key == "required") {
    for (const auto& name : value)
      if (!has(ours, name)) ours.push_back(name);
  } else if (key == "minimum" || key == "exclusiveMinimum" || key == "minLength" ||
             key == "minItems") {
    if (larger()) ours = value;
  } else if (key == "maximum" || key == "exclusiveMaximum" || key == "maxLength" ||
             key == "maxItems") {
    if (smaller()) ours = value;
  } else if (key == "enum") {
    OrderedJson common = OrderedJson::array();
    for (const auto& one : value)
      if (has(ours, one)) common.push_back(one);
    ours = common;
  } else if (key == "const") {
    out.erase("const");
    out["enum"] = OrderedJson::array();
  } else if (key == "additionalProperties" || key == "items") {
    ours = both(OrderedJson(ours), value, path + "." + key, depth + 1);
  } else if (key == "anyOf") {
    OrderedJson product = OrderedJson::array();
    for (const auto& one : ours)
      for (const auto& other : value)
        product.push_back(both(one, other, path + ".anyOf", depth + 1));
    ours = std::move(product);
  } else {
    fail_schema(path,
                "'" + key + "' is said twice (allOf, anyOf, $ref) and cannot be taken together");
  }
}

uint32_t SchemaAlgebra::types(const OrderedJson& given, const std::string& path, int depth) const {
  const OrderedJson& schema = followed(given, path);
  check_kinds(schema, path);
  if (schema.is_boolean()) return schema.get<bool>() ? kAll : 0;
  if (!schema.is_object() || depth > kDepth) return kAll;
  uint32_t out = kAll;
  if (const auto values = values_of(schema)) {
    out = 0;
    for (const auto& value : *values) out |= type_of(value);
  }
  if (schema.contains("type")) {
    uint32_t named = 0;
    const auto& type = schema["type"];
    if (type.is_string()) named = type_named(type.get<std::string>());
    else
      for (const auto& one : type)
        if (one.is_string()) named |= type_named(one.get<std::string>());
    out &= named;
  }
  for (const char* key : {"anyOf", "oneOf"}) {
    if (!schema.contains(key) || !schema[key].is_array()) continue;
    uint32_t any = 0;
    for (const auto& branch : schema[key]) any |= types(branch, path, depth + 1);
    out &= any;
  }
  return out;
}

bool SchemaAlgebra::apart(const OrderedJson& a, const OrderedJson& b,
                          const std::string& path) const {
  const uint32_t common = types(a, path, 0) & types(b, path, 0);
  if (common == 0) return true;
  const OrderedJson &left = followed(a, path), &right = followed(b, path);
  const auto values = values_of(left), others = values_of(right);
  if (values && others)
    return std::none_of(values->begin(), values->end(),
                        [&](const OrderedJson& value) { return has(*others, value); });
  if (common != kObject || !left.is_object() || !right.is_object()) return false;
  const auto member = [&](const OrderedJson& schema,
                          const std::string& name) -> const OrderedJson* {
    const bool there = schema.contains("properties") && schema["properties"].contains(name) &&
                       schema.contains("required") && has(schema["required"], name);
    return there ? &schema["properties"][name] : nullptr;
  };
  if (!left.contains("properties") || !left["properties"].is_object()) return false;
  for (const auto& [name, schema] : left["properties"].items()) {
    const OrderedJson* const ours = member(left, name);
    const OrderedJson* const theirs = member(right, name);
    if (!ours || !theirs) continue;
    const auto one = values_of(followed(*ours, path)), other = values_of(followed(*theirs, path));
    if (one && other && std::none_of(one->begin(), one->end(), [&](const OrderedJson& value) {
          return has(*other, value);
        }))
      return true;
  }
  return false;
}

}  // namespace helio::text
