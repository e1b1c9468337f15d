// The Monitor of the command line: a live line on a terminal, plain lines elsewhere. stderr only.
#pragma once

#include <memory>

#include "core/monitor.h"

namespace helio::cli {

enum class Verbosity { quiet, normal };

std::unique_ptr<Monitor> make_terminal_monitor(Verbosity verbosity);

// "3h12m", "4m05s", "12s".
std::string duration_text(double seconds);
// "1.82M", "12.3k", "481".
std::string count_text(double value);

}  // namespace helio::cli
