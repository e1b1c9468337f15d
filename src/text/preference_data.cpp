#include "text/preference_data.h"

#include <algorithm>

#include "core/error.h"
#include "text/conversation_data.h"
#include "text/preference_layouts.h"
#include "text/rows_file.h"

namespace helio::text {
namespace {

bool blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

std::string prompt_words(const Preference& pair) {
  std::string words;
  for (const auto& message : pair.prompt) words += message.role + "\n" + message.content + "\n";
  return words;
}

}  // namespace

LoadedPreferences load_preferences(const std::filesystem::path& path, int64_t limit,
                                   const std::string& dataset) {
  LoadedPreferences loaded;
  read_rows(path, dataset, [&](const Json& row, const std::string& place) {
    if (limit && static_cast<int64_t>(loaded.rows.size()) >= limit) return false;
    Preference pair = read_preference(row, place);
    const bool no_prompt = std::all_of(pair.prompt.begin(), pair.prompt.end(),
                                       [](const auto& message) { return blank(message.content); });
    const bool empty = pair.unpaired ? blank(pair.chosen) && blank(pair.rejected)
                                     : blank(pair.chosen) || blank(pair.rejected);
    if (empty) ++loaded.refused["empty_side"];
    else if (no_prompt) ++loaded.refused["empty_prompt"];
    else if (!pair.unpaired && pair.chosen == pair.rejected) ++loaded.refused["equal_sides"];
    else {
      loaded.unpaired += pair.unpaired ? 1 : 0;
      loaded.rows.push_back(std::move(pair));
    }
    return true;
  });
  if (loaded.rows.empty())
    throw Error(ErrorKind::invalid, "'" + path.string() + "' has no usable preference pair");
  return loaded;
}

bool is_held_out(const Preference& pair, double share) {
  return is_held_out(prompt_words(pair), share);
}

}  // namespace helio::text
