// What training stages will need, from the recipe alone: shown before anything runs.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "jobs/recipe.h"

namespace helio::jobs {

struct Estimate {
  int64_t parameters = 0, tokens = 0, memory_bytes = 0;
  double flops = 0, seconds = 0;
};

// By stage name, for the stages that train and of which enough is known. Parameters follow the
// recipe: a stage's `init` or `model` gives the shape of what it continues (up-scaling included), a
// model from outside its config.json; the vocabulary is the one the tokenizer stage will train.
std::map<std::string, Estimate> estimate_recipe(const Recipe& recipe);

int estimate_threads();

}  // namespace helio::jobs
