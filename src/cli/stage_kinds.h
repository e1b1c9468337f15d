// Which commands may be stages of a recipe.
#pragma once

#include <vector>

#include "jobs/recipe.h"

namespace helio::cli {

std::vector<jobs::StageKind> stage_kinds();

}  // namespace helio::cli
