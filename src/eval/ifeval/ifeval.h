// IFEval (Zhou et al. 2023): which of its instructions a response follows, strictly and loosely.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "eval/ifeval/checks.h"

namespace helio::eval::ifeval {

struct Item {
  int64_t key = 0;
  std::string prompt = {};
  std::vector<std::string> instructions = {};
  std::vector<Check> checks = {};  // one an instruction
};

struct Verdict {
  std::vector<bool> strict = {}, loose = {};  // one an instruction
};

// One item, as read_items has them. Error{invalid} for a damaged one.
Item read_item(const Json& row);
// Items as the published file has them, one JSON line each: key, prompt, instruction_id_list,
// kwargs. Damaged ones are Errors that name the file and line.
std::vector<Item> read_items(const std::filesystem::path& file);

// Strict: the response is not blank and passes. Loose: it, or it without its first line, last line,
// or both, or one of these four without asterisks, is not blank and passes.
Verdict judge(const Item& item, std::string_view response);

// Followed instructions of all, and prompts of which all were followed.
struct Tally {
  int64_t prompts = 0, followed_prompts = 0, instructions = 0, followed = 0;
  void add(const std::vector<bool>& verdicts);
};
struct Summary {
  Tally strict = {}, loose = {};
  std::map<std::string, Tally> strict_by_id = {}, loose_by_id = {};  // instructions only
  void add(const Item& item, const Verdict& verdict);
  OrderedJson json() const;  // lm-evaluation-harness's names of the four accuracies
};

}  // namespace helio::eval::ifeval
