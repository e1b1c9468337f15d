// The variants of a study as its recipe writes them: a name, which command makes it, and what it
// changes of that command's options. Torch-free.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/node.h"

namespace helio::train {

struct StudyVariant {
  std::string name = {};     // also the folder of its runs: letters, digits, '.', '_', '-'
  std::string command = {};  // one of those asked for; the first when the recipe has no `command`
  Node overrides = {};       // a map, without `command`
};

// Reads {NAME: {command: WORD, OPTION: VALUE, ...}, ...}. `own`: options that the study sets itself
// and a variant may not. Error{invalid} with file:line:column.
std::vector<StudyVariant> read_variants(const Node& node, const std::vector<std::string>& commands,
                                        const std::vector<std::string>& own);

// Seeds as a recipe gives them: whole numbers from 0, each once. Error{invalid}.
std::vector<int64_t> read_seeds(const std::vector<double>& given);

}  // namespace helio::train
