// Orders of steps that run but hardly do what was meant.
#pragma once

#include <string>
#include <vector>

#include "core/node.h"
#include "data/steps.h"

namespace helio::data {

struct OrderedStep {
  Step step = {};
  Mark mark = {};
};

struct OrderFinding {
  Mark mark = {};
  std::string step = {}, message = {}, hint = {};
};

// In the order of the steps.
std::vector<OrderFinding> find_order_mistakes(const std::vector<OrderedStep>& steps);

}  // namespace helio::data
