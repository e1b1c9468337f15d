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

// Error{invalid} when a variant is called `name`, which stands for `what`.
void check_not_named(const std::vector<StudyVariant>& variants, const std::string& name,
                     const std::string& what);

// Sections of a study's recipe say how, not what. Error{invalid} with `hint` when one of `paths`,
// which the study sets for each run (they are `what`), is given.
void check_not_given(const std::vector<const std::string*>& paths, const std::string& what,
                     const std::string& hint);

// Seeds as a recipe gives them: whole numbers from 0, each once. Error{invalid}.
std::vector<int64_t> read_seeds(const std::vector<double>& given);

}  // namespace helio::train
