// Whose numbers a benchmark gives: the version of lm-evaluation-harness whose draws, prompts and
// special tokens are followed. docs/evaluation.md has the table of differences.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace helio::eval {

enum class DocumentOrder { as_filed, shuffled };  // shuffled: by the generator that draws examples
enum class GroupErrors { over_parts, over_groups };  // what a pooled standard error is pooled over

struct Profile {
  std::string name = {}, version = {}, about = {};
  int64_t seed = 1234;
  DocumentOrder order = DocumentOrder::as_filed;
  text::SpecialTokens special = text::SpecialTokens::add;
  GroupErrors errors = GroupErrors::over_parts;
};

// openllm-v1, evalverse, current.
const std::vector<Profile>& profiles();
// Error{usage} with the names there are.
const Profile& find_profile(std::string_view name);

}  // namespace helio::eval
