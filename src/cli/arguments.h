// The command line as a settings tree: flags become nodes that remember the flag they came from, so
// that one reader (core/options.h) checks files, environment and flags alike.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "core/node.h"
#include "core/options.h"

namespace helio::cli {

struct CommonFlags {
  bool help = false, json = false, quiet = false;
  std::string config = {};  // --config FILE[#section]
};

struct ParsedArguments {
  CommonFlags common = {};
  Node flags = {};  // what was given, by dotted path
};

// Reads the words after the command's name. `fields` are the command's options.
// --key value, --key=value, --flag for booleans (--no-flag for false); hyphens and underscores are
// the same; list fields take several words (but for Card::repeated) or repeated flags.
ParsedArguments parse_arguments(const std::vector<std::string>& words,
                                const std::vector<FieldInfo>& fields, const Card& card);

// HELIO_TRAIN_LR=1e-4 sets train.lr: a tree of what the environment sets among `fields`.
Node environment_settings(const std::vector<FieldInfo>& fields);

// flags > environment > config file > defaults, read into the command; then required fields
// checked.
void read_command(Command& command, const ParsedArguments& arguments);

std::string help_text(const std::string& program, const std::string& name,
                      const std::string& summary, Command& command);

}  // namespace helio::cli
