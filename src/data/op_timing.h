// How fast operators are, each alone, over documents held in memory, on one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "core/node.h"
#include "data/document.h"
#include "data/steps.h"

namespace helio::data {

struct OpTiming {
  std::string op = {};
  std::string skipped = {};  // why it was not run; empty when it was
  int rounds = 0;
  double seconds = 0;  // of CPU time in the fastest round
  uint64_t bytes = 0;  // of text a round
  int64_t documents = 0, dropped = 0;
  uint64_t memory = 0;  // most bytes above what was held before, where the system tells
  double mb_per_second() const { return seconds > 0 ? double(bytes) / 1e6 / seconds : 0; }
};

// Up to `bytes` of text from the inputs, in their order.
std::vector<Document> read_sample(const Node& inputs, uint64_t bytes);

// Rounds over copies of the documents until `seconds` are spent, at least two.
OpTiming time_step(const Step& step, const std::vector<Document>& documents, double seconds,
                   const StopRequest& stop);

}  // namespace helio::data
