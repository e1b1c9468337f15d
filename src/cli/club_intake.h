// How a lot gets into a folder of lots, for `helio club import` and `helio club add-lot`.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "club/roster.h"
#include "core/fs.h"
#include "core/node.h"
#include "data/read/read_source.h"

namespace helio::cli {

// One lot as a recipe's `sources` or the flags of add-lot name it.
struct LotOptions {
  std::string lot = {}, partner = {}, language = {}, licence = {};
  std::string source = {}, contact = {}, terms = {};
  data::SourceOptions files = {};

  void describe(Fields& f) {
    f("lot", lot, "Name of the lot: a folder's name, unique among the lots.");
    f("partner", partner, "Who gave it.");
    f("language", language, "Its main language: ko, en, ...");
    f("licence", licence, "Licence or contract it came under: an SPDX name where there is one.");
    f("source", source, "Where it came from, in words; empty: its path.");
    f("contact", contact, "How the partner is reached.");
    f("terms", terms, "What was agreed about the partner's share, in words.");
    files.describe(f);
  }
};

// The entries of a `sources` list. Errors carry file:line:column.
std::vector<LotOptions> read_sources(const Node& sources);

// Reads the source (below `root` when its path is relative) and writes the lot to `lots_dir`/NAME.
void take_in(const LotOptions& options, const fs::path& root, const fs::path& lots_dir,
             const std::string& made_by, Context& context);

// Contacts and terms; Error{invalid} when two lots of one partner say different things.
std::vector<club::PartnerDetails> partner_details(const std::vector<LotOptions>& lots);

// Who gave how much, against the words that membership asks for.
void print_roster(const club::Roster& roster, Context& context);

}  // namespace helio::cli
