#include "text/grammar/json_schema.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "core/error.h"
#include "text/grammar/json_rules.h"
#include "text/grammar/schema_algebra.h"
#include "text/grammar/schema_keywords.h"

namespace helio::text {
namespace {

constexpr auto kNoLimit = GrammarBuilder::kNoLimit;
constexpr auto join = GrammarBuilder::join;
constexpr int kDepth = 200;
constexpr size_t kBranches = 256;  // oneOf compares each with each

class SchemaGrammar {
 public:
  SchemaGrammar(GrammarBuilder& builder, const OrderedJson& root, const JsonSchemaOptions& options)
      : root_(root), options_(options), algebra_(root), b_(builder), rules_(b_) {}

  GrammarSymbol whole() {
    const GrammarSymbol rule = b_.declare("the schema");
    b_.define(rule, {compile(root_, "$", 0)});
    while (!waiting_.empty()) {
      const auto [reference, symbol] = waiting_.back();
      waiting_.pop_back();
      b_.define(symbol, {compile(algebra_.target(reference, "$"), reference, 0)});
    }
    return rule;
  }

 private:
  GrammarSequence nothing() { return b_.any_of({}); }

  GrammarSequence compile(const OrderedJson& schema, const std::string& path, int depth) {
    if (depth > kDepth) fail_schema(path, "schemas are nested too deep");
    if (schema.is_boolean()) return schema.get<bool>() ? rules_.any_value() : nothing();
    if (!schema.is_object()) fail_schema(path, "a schema must be an object, true or false");
    check_keywords(schema, path);
    check_kinds(schema, path);
    if (schema.contains("$ref")) {
      OrderedJson rest = schema;
      rest.erase("$ref");
      if (!SchemaAlgebra::asserts(rest)) return {reference(schema["$ref"], path)};
    }
    if (schema.contains("$ref") || schema.contains("allOf"))
      return compile(algebra_.both(schema, true, path), path, depth + 1);
    for (const char* key : {"anyOf", "oneOf"})
      if (schema.contains(key)) return alternatives(schema, key, path, depth);
    if (schema.contains("enum") || schema.contains("const")) return values(schema, path);
    std::vector<GrammarSequence> parts;
    for (const auto& type : types_of(schema, path))
      parts.push_back(typed(type, schema, path, depth));
    return b_.any_of(std::move(parts));
  }

  GrammarSymbol reference(const OrderedJson& name, const std::string& path) {
    algebra_.target(name, path);
    const auto [known, fresh] = references_.try_emplace(name.get<std::string>());
    if (fresh) {
      known->second = b_.declare(known->first);
      waiting_.emplace_back(known->first, known->second);
    }
    return known->second;
  }

  GrammarSequence alternatives(const OrderedJson& schema, const char* key, const std::string& path,
                               int depth) {
    const OrderedJson& branches = schema[key];
    const std::string place = path + "." + key;
    if (!branches.is_array() || branches.empty()) fail_schema(place, "must be a list of schemas");
    if (branches.size() > kBranches) fail_schema(place, "has more than 256 schemas");
    if (std::string_view(key) == "oneOf")
      for (size_t i = 0; i < branches.size(); ++i)
        for (size_t k = i + 1; k < branches.size(); ++k)
          if (!algebra_.apart(branches[i], branches[k], place))
            throw Error(ErrorKind::invalid, place + ": " + std::to_string(i) + " and " +
                                                std::to_string(k) + " may both be valid")
                .with_hint("use anyOf, or give each a required member with a 'const' of its own");
    OrderedJson rest = schema;
    rest.erase(key);
    const bool more = SchemaAlgebra::asserts(rest);
    std::vector<GrammarSequence> parts;
    for (size_t i = 0; i < branches.size(); ++i) {
      const std::string at = place + "[" + std::to_string(i) + "]";
      parts.push_back(
          compile(more ? algebra_.both(rest, branches[i], at) : branches[i], at, depth + 1));
    }
    return b_.any_of(std::move(parts));
  }

  GrammarSequence values(const OrderedJson& schema, const std::string& path) {
    for (const auto& [key, value] : schema.items())
      if (key != "enum" && key != "const" && key != "type" && !SchemaAlgebra::is_annotation(key))
        fail_schema(path, "'" + key + "' beside 'enum' or 'const' is not supported");
    if (schema.contains("enum") && !schema["enum"].is_array())
      fail_schema(path + ".enum", "must be a list");
    std::vector<GrammarSequence> parts;
    const auto add = [&](const OrderedJson& value) {
      if (is_of_type(value, schema)) parts.push_back(rules_.literal(value));
    };
    if (schema.contains("const")) {
      const auto& list =
          schema.contains("enum") ? schema["enum"] : OrderedJson::array({schema["const"]});
      if (std::find(list.begin(), list.end(), schema["const"]) != list.end()) add(schema["const"]);
    } else {
      for (const auto& value : schema["enum"]) add(value);
    }
    return b_.any_of(std::move(parts));
  }

  GrammarSequence typed(const std::string& type, const OrderedJson& schema, const std::string& path,
                        int depth) {
    if (type == "any") return rules_.any_value();
    if (type == "object") return object(schema, path, depth);
    if (type == "array") return array(schema, path, depth);
    if (type == "string") return string(schema, path);
    if (type == "boolean") return rules_.boolean();
    if (type == "null") return b_.literal("null");
    return number(type, schema, path);
  }

  GrammarSequence string(const OrderedJson& schema, const std::string& path) {
    const char* pattern_key = nullptr;
    for (const char* key : {"pattern", "format"}) {
      if (!schema.contains(key)) continue;
      if (pattern_key) fail_schema(path, "'pattern' together with 'format' is not supported");
      if (!schema[key].is_string()) fail_schema(path + "." + key, "must be a string");
      pattern_key = key;
    }
    const int64_t least = size_of(schema, "minLength", 0, path);
    const int64_t most = size_of(schema, "maxLength", kNoLimit, path);
    if (!pattern_key) {
      if (most != kNoLimit && most < least) return nothing();
      return rules_.string({.least = least, .most = most});
    }
    if (schema.contains("minLength") || schema.contains("maxLength"))
      fail_schema(path, std::string("'") + pattern_key +
                            "' together with 'minLength' or 'maxLength' is not supported");
    const auto value = schema[pattern_key].get<std::string>();
    if (pattern_key == std::string_view("pattern"))
      return in_context([&] { return "reading " + path + ".pattern"; },
                        [&] { return rules_.matching(value); });
    const char* const pattern = format_pattern(value);
    if (!pattern)
      throw Error(ErrorKind::invalid, path + ".format: '" + value + "' is not supported")
          .with_hint("date, time, date-time, uuid, ipv4 and email are; or give a 'pattern'");
    return rules_.matching(pattern);
  }

  GrammarSequence number(const std::string& type, const OrderedJson& schema,
                         const std::string& path) {
    const SchemaBounds bounds = bounds_of(schema, path);
    if (!bounds.low && !bounds.high) return type == "integer" ? rules_.integer() : rules_.number();
    if (type == "integer") {
      std::optional<int64_t> low, high;
      if (bounds.low) low = static_cast<int64_t>(std::ceil(*bounds.low));
      if (bounds.high) high = static_cast<int64_t>(std::floor(*bounds.high));
      if (low && !bounds.low_included && static_cast<double>(*low) == *bounds.low) ++*low;
      if (high && !bounds.high_included && static_cast<double>(*high) == *bounds.high) --*high;
      if (low && high && *low > *high) return nothing();
      return rules_.integer_between(low, high);
    }
    const auto bound = [&](const std::optional<double>& value,
                           bool included) -> std::optional<JsonRules::Bound> {
      if (!value) return std::nullopt;
      if (*value != std::floor(*value))
        fail_schema(path, "bounds of a number must be whole numbers here");
      return JsonRules::Bound{.value = static_cast<int64_t>(*value), .included = included};
    };
    const auto low = bound(bounds.low, bounds.low_included);
    const auto high = bound(bounds.high, bounds.high_included);
    return in_context([&] { return "reading " + path; },
                      [&] { return rules_.number_between(low, high); });
  }

  // prefixItems one after the other, each of which may be the last; then items.
  GrammarSequence array(const OrderedJson& schema, const std::string& path, int depth) {
    const int64_t least = size_of(schema, "minItems", 0, path);
    const int64_t most = size_of(schema, "maxItems", kNoLimit, path);
    if (most != kNoLimit && most < least) return nothing();
    std::vector<GrammarSequence> first;
    if (schema.contains("prefixItems")) {
      if (!schema["prefixItems"].is_array()) fail_schema(path + ".prefixItems", "must be a list");
      for (const auto& item : schema["prefixItems"])
        first.push_back(
            compile(item, path + ".prefixItems[" + std::to_string(first.size()) + "]", depth + 1));
    }
    const OrderedJson any = true;
    const GrammarSequence item =
        compile(schema.contains("items") ? schema["items"] : any, path + ".items", depth + 1);
    if (first.empty()) first.push_back(item);
    // From the end: what may follow the first `count` items.
    auto count = static_cast<int64_t>(first.size());
    if (most != kNoLimit && count > most) count = most;
    GrammarSequence rest;
    if (most == kNoLimit || most > count)
      rest = b_.repeat(join({rules_.comma(), item}), std::max<int64_t>(0, least - count),
                       most == kNoLimit ? kNoLimit : most - count);
    else if (least > count) return nothing();
    for (int64_t i = count - 1; i > 0; --i) {
      auto longer = join({rules_.comma(), first[static_cast<size_t>(i)], rest});
      rest = i < least ? std::move(longer) : b_.any_of({std::move(longer), {}});
    }
    std::vector<GrammarSequence> parts;
    if (least == 0) parts.push_back(join({b_.literal("["), rules_.space(), b_.literal("]")}));
    if (count > 0) parts.push_back(rules_.enclosed('[', join({first[0], rest}), ']'));
    return b_.any_of(std::move(parts));
  }

  struct Member {
    std::string name = {};
    bool required = false;
    GrammarSequence text = {};  // "name": value
  };

  GrammarSequence object(const OrderedJson& schema, const std::string& path, int depth) {
    const OrderedJson none = OrderedJson::object();
    const OrderedJson& listed = schema.contains("properties") ? schema["properties"] : none;
    if (!listed.is_object()) fail_schema(path + ".properties", "must be an object");
    std::set<std::string> required;
    if (schema.contains("required")) {
      if (!schema["required"].is_array()) fail_schema(path + ".required", "must be a list");
      for (const auto& name : schema["required"]) {
        if (!name.is_string()) fail_schema(path + ".required", "must be a list of names");
        required.insert(name.get<std::string>());
      }
    }
    const bool refused = options_.unlisted == JsonSchemaOptions::Unlisted::refused;
    const OrderedJson unlisted = schema.value("additionalProperties", OrderedJson(!refused));
    std::vector<Member> members;
    const auto add = [&](const std::string& name, const OrderedJson& member,
                         const std::string& at) {
      members.push_back({.name = name,
                         .required = required.contains(name),
                         .text = join({b_.literal(compact(OrderedJson(name)) + ":"), rules_.space(),
                                       compile(member, at, depth + 1)})});
    };
    for (const auto& [name, member] : listed.items())
      add(name, member, path + ".properties." + name);
    for (const auto& name : required)
      if (!listed.contains(name)) add(name, unlisted, path + ".additionalProperties");
    GrammarSequence more;  // one unlisted member
    const bool has_more = !unlisted.is_boolean() || unlisted.get<bool>();
    if (has_more) {
      std::vector<std::string> names;
      for (const auto& member : members) names.push_back(member.name);
      more = join({names.empty() ? rules_.any_string() : rules_.other_name(names), b_.literal(":"),
                   rules_.space(), compile(unlisted, path + ".additionalProperties", depth + 1)});
    }
    return members_in_order(members, more);
  }

  // `first`: what may come where no member has been written, `next`: behind one. From the last
  // member to the first.
  GrammarSequence members_in_order(const std::vector<Member>& members,
                                   const GrammarSequence& more) {
    GrammarSequence next, first;
    bool may_be_empty = true;
    std::vector<GrammarSequence> firsts;
    if (!more.empty()) {
      next = b_.repeat(join({rules_.comma(), more}), 0, kNoLimit);
      firsts.push_back(join({more, next}));
    }
    for (size_t i = members.size(); i-- > 0;) {
      const Member& member = members[i];
      if (member.required) {
        firsts.clear();
        may_be_empty = false;
      }
      firsts.push_back(join({member.text, next}));
      if (firsts.size() > 1) firsts = {b_.any_of(firsts)};
      auto written = join({rules_.comma(), member.text, next});
      next = member.required ? GrammarSequence{wrapped(std::move(written))}
                             : b_.any_of({std::move(written), next});
    }
    std::vector<GrammarSequence> parts;
    if (may_be_empty) parts.push_back(join({b_.literal("{"), rules_.space(), b_.literal("}")}));
    if (!firsts.empty()) parts.push_back(rules_.enclosed('{', b_.any_of(firsts), '}'));
    return b_.any_of(std::move(parts));
  }

  GrammarSymbol wrapped(GrammarSequence sequence) {
    const GrammarSymbol rule = b_.declare("member");
    b_.define(rule, {std::move(sequence)});
    return rule;
  }

  const OrderedJson& root_;
  JsonSchemaOptions options_;
  SchemaAlgebra algebra_;
  GrammarBuilder& b_;
  JsonRules rules_;
  std::map<std::string, GrammarSymbol> references_ = {};
  std::vector<std::pair<std::string, GrammarSymbol>> waiting_ = {};
};

}  // namespace

GrammarSequence json_schema_rules(GrammarBuilder& builder, const OrderedJson& schema,
                                  const JsonSchemaOptions& options) {
  return in_context(
      [] { return "reading the JSON schema"; },
      [&] { return GrammarSequence{SchemaGrammar(builder, schema, options).whole()}; });
}

Grammar json_schema_grammar(const OrderedJson& schema, const JsonSchemaOptions& options) {
  GrammarBuilder builder(options.limits);
  return builder.build(json_schema_rules(builder, schema, options).front());
}

Grammar json_object_grammar() {
  GrammarBuilder builder;
  JsonRules rules(builder);
  const GrammarSymbol root = builder.declare("object");
  builder.define(root, {rules.any_object()});
  return builder.build(root);
}

}  // namespace helio::text
