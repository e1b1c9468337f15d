// Statistics built into the program (data/README.md says whose), as text.
#pragma once

#include <string>

namespace helio::eval::ifeval {

std::string langdetect_text();  // lines as tools/make_ifeval_data.py describes them
std::string punkt_text();

}  // namespace helio::eval::ifeval
