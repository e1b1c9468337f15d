// Everything that follows from an options struct's describe(Fields&).
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/node.h"

namespace helio {

using Describe = std::function<void(Fields&)>;

template <class T>
Describe describe(T& options) {
  return [&options](Fields& f) { options.describe(f); };
}

// Fills the struct from a map node. Errors name file:line:column, the key, what was expected and,
// for an unknown key, the nearest known one.
void read_options(const Node& node, const Describe& describe);

// The values as JSON, in the order described. Two structs with equal JSON are equal options.
nlohmann::ordered_json options_json(const Describe& describe);

// JSON Schema (draft 2020-12) of the struct.
nlohmann::ordered_json options_schema(const Describe& describe);

enum class FieldType { boolean, integer, number, string, strings, numbers, raw };
enum class FieldRole { plain, input, output };

// One flattened field: "train.lr" with its help and default.
struct FieldInfo {
  std::string name = {};
  std::string help = {};
  std::string value = {};  // default, as text
  std::string place = {};  // of an output: the folder of the workspace
  FieldType type = FieldType::string;
  FieldRole role = FieldRole::plain;
  Rule rule = {};
};
std::vector<FieldInfo> options_fields(const Describe& describe);

// The known word nearest to a misspelt one, or empty when none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace helio
