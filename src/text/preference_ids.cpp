// Preference pairs as token ids (see preference_data.h).
#include <algorithm>

#include "text/preference_data.h"

namespace helio::text {

EncodedPreference encode_preference(const Preference& pair, const ChatFormat& format,
                                    int64_t max_length, PlainTexts texts) {
  EncodedPreference out{.id = pair.id, .source = pair.source};
  std::vector<std::string> answers;
  for (const auto* answer : {&pair.chosen, &pair.rejected})
    if (!pair.unpaired || !answer->empty()) answers.push_back(*answer);
  auto ids = texts == PlainTexts::as_they_stand && pair.plain
                 ? format.encode_plain(pair.prompt.front().content, answers)
                 : format.encode_answers(pair.prompt, answers);
  out.prompt = std::move(ids.prompt);
  if (!pair.unpaired || !pair.chosen.empty()) out.chosen = std::move(ids.answers.front());
  if (!pair.unpaired || !pair.rejected.empty()) out.rejected = std::move(ids.answers.back());
  const auto longest = static_cast<int64_t>(std::max(out.chosen.size(), out.rejected.size()));
  const auto length = static_cast<int64_t>(out.prompt.size());
  const int64_t kept =
      std::min(length, std::max(max_length - longest, std::max<int64_t>(1, max_length / 4)));
  if (kept < length) {
    out.prompt.erase(out.prompt.begin(), out.prompt.end() - kept);
    out.prompt_cut = true;
  }
  for (auto* answer : {&out.chosen, &out.rejected})
    if (static_cast<int64_t>(answer->size()) > max_length - kept) {
      answer->resize(static_cast<size_t>(max_length - kept));
      ++out.answers_cut;
    }
  return out;
}

}  // namespace helio::text
