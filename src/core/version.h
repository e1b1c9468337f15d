#pragma once

#include <string>
#include <string_view>

namespace helio {

std::string_view version();  // "0.1.0"
// Hash of the sources of the modules a command uses (module names as in layers.txt, their
// dependencies included). Generated at build time; part of every stage's key.
std::string code_hash(std::string_view module);

}  // namespace helio
