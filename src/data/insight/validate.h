// What is wrong with a recipe's data stages, found without reading a document: all problems at
// once, each with its place, and orders of steps that are allowed but hardly meant.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "core/node.h"

namespace helio::data {

struct Problem {
  enum class Weight { error, warning };
  Weight weight = Weight::error;
  std::string place = {};  // "recipe.yaml:12:5"
  std::string stage = {};  // of a recipe; empty for a bare file of steps
  std::string step = {};   // "filter.length"; empty when it is not about one
  std::string message = {};
  std::string hint = {};
};

struct Validation {
  std::vector<Problem> problems = {};    // in the order they stand in the file
  std::vector<std::string> stages = {};  // data stages that were looked at; "" for bare steps
  size_t steps = 0;

  size_t count(Problem::Weight weight) const;
  OrderedJson json() const;
};

// `root`: a recipe (its stages of kind `data run`), the options of `data run`, or a list of steps.
// `file`: where it stands; paths in it are looked up from there and from the current folder.
// Error{invalid} when it is none of these.
Validation validate(const Node& root, const std::string& file);

}  // namespace helio::data
