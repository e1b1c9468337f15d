// Reads what a statement is made from: the artefacts themselves, so that the figures are those the
// stages counted and nothing is typed in by hand.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "club/roster.h"
#include "club/statement.h"

namespace helio::club {

struct StatementSources {
  std::filesystem::path lots = {};               // helio club import
  std::filesystem::path dataset = {};            // helio data run
  std::filesystem::path tokens = {};             // helio tokens build
  std::vector<std::filesystem::path> runs = {};  // run folders, or the models they made
};

// Fills lots, runs and tokens_total; pool, currency and shared_text are the caller's.
// Errors: a file that is missing or damaged; {check} when the artefacts were not made from each
// other, or disagree about a lot or its partner.
StatementInputs gather_statement_inputs(const StatementSources& sources, SharedText shared_text);

// The run folder's lots.json: in `run` itself, or in workspace/runs/NAME for workspace/models/NAME.
std::filesystem::path find_run_lots(const std::filesystem::path& run);

// Who gave the text of each lot that survived in the training split, by weight, for the lots that
// have text in common with other partners. Read from the dataset's duplicates.jsonl:
//   {"cluster", "kept", "members": [{"id", "lot", "partner"}]}  a line
// Clusters with a member in common are one. The weights are words; empty when nothing is shared.
std::map<std::string, std::map<std::string, int64_t>> shared_holders(
    const std::filesystem::path& dataset);

}  // namespace helio::club
