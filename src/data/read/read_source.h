// An input read from end to end, one document after another.
#pragma once

#include <functional>
#include <string>

#include "club/lot.h"
#include "core/monitor.h"
#include "data/read/source.h"

namespace helio::data {

struct ReadSummary : ReadTally {
  int64_t files = 0;
};

// Calls `sink` with each document in order. Progress is told in files.
ReadSummary read_source(const SourceOptions& options, const std::string& lot,
                        const std::function<void(club::LotDocument)>& sink, Monitor& monitor,
                        const StopRequest& stop);

}  // namespace helio::data
