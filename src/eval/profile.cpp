#include "eval/profile.h"

#include "core/error.h"

namespace helio::eval {

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all = {
      {.name = "openllm-v1",
       .version = "b281b09",
       .about = "the Open LLM Leaderboard's, June 2023",
       .seed = 42,
       .order = DocumentOrder::shuffled,
       .special = text::SpecialTokens::skip,
       .errors = GroupErrors::over_groups},
      {.name = "evalverse",
       .version = "0.4.2",
       .about = "Evalverse's, April 2024",
       .special = text::SpecialTokens::skip,
       .errors = GroupErrors::over_groups},
      {.name = "current", .version = "0.4.13", .about = "lm-evaluation-harness as it is now"}};
  return all;
}

const Profile& find_profile(std::string_view name) {
  std::string known;
  for (const Profile& profile : profiles()) {
    if (profile.name == name) return profile;
    known += (known.empty() ? "" : ", ") + profile.name;
  }
  throw Error(ErrorKind::usage, "no profile '" + std::string(name) + "'")
      .with_hint("one of " + known);
}

}  // namespace helio::eval
