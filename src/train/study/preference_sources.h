// The data of an alignment study: sources of preference pairs, and held-out pairs, with no prompt
// in two of them. Torch-free.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/node.h"

namespace helio::train {

struct PreferenceSource {
  std::string name = {};
  std::vector<std::string> files = {};  // as text::load_preferences reads them
};
// {D1: [FILE, ...], D2: FILE}. Error{invalid} with file:line:column.
std::vector<PreferenceSource> read_sources(const Node& node);

struct StudyData {
  std::vector<PreferenceSource> sources = {};
  std::string heldout = {};
  std::vector<int64_t> seeds = {};
  int64_t pairs_per_source = 0;  // drawn anew for each seed; 0: all
  int64_t heldout_pairs = 0;     // drawn once; 0: all
};

// Writes into `dir` heldout.jsonl and, for every seed S, pairs-S.jsonl (prompt, chosen, rejected,
// source) and chats-S.jsonl (messages: the prompt with its chosen answer). A pair whose prompt is
// among the held-out ones, or in an earlier source, is left out. Returns what was read, left out
// and drawn, by source. Error{invalid}: a source of which nothing is left.
OrderedJson write_study_data(const StudyData& data, const std::filesystem::path& dir);

}  // namespace helio::train
