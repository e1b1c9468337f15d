// Preference pairs as token ids (see preference_data.h).
#include <algorithm>

#include "text/preference_data.h"

namespace helio::text {
namespace {

// The ids of the conversation up to the last answer, and the answer's own with its eos.
void split_ids(const Preference& pair, const std::string& answer, const Tokenizer& tokenizer,
               TokenId eos, std::vector<TokenId>& prompt, std::vector<TokenId>& ids) {
  auto messages = pair.prompt;
  messages.push_back({.role = "assistant", .content = answer});
  const auto chat = render_solar(messages, tokenizer, eos, GenerationPrompt::omit);
  size_t end = chat.ids.size();
  while (end > 0 && !chat.assistant[end - 1]) --end;
  size_t begin = end;
  while (begin > 0 && chat.assistant[begin - 1]) --begin;
  prompt.assign(chat.ids.begin(), chat.ids.begin() + static_cast<ptrdiff_t>(begin));
  ids.assign(chat.ids.begin() + static_cast<ptrdiff_t>(begin),
             chat.ids.begin() + static_cast<ptrdiff_t>(end));
}

}  // namespace

EncodedPreference encode_preference(const Preference& pair, const Tokenizer& tokenizer, TokenId eos,
                                    int64_t max_length) {
  EncodedPreference out{.id = pair.id};
  std::vector<TokenId> prompt;  // the same for both sides
  split_ids(pair, pair.rejected, tokenizer, eos, prompt, out.rejected);
  split_ids(pair, pair.chosen, tokenizer, eos, out.prompt, out.chosen);
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
