// Preference pairs: from the field's file forms to messages and ids, and which are held out.
// Training (helio align) and evaluation share this, so that what one holds out the other scores.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "text/chat.h"

namespace helio::text {

struct Preference {
  std::string id = {};  // the row's "id", or its place in the file
  std::vector<Message> prompt = {};
  std::string chosen = {}, rejected = {};  // the assistant's last words
};

struct LoadedPreferences {
  std::vector<Preference> rows = {};
  std::map<std::string, int64_t> refused = {};  // "empty_side", "empty_prompt", "equal_sides"
};

// Reads TRL's {"prompt", "chosen", "rejected"} (texts or lists of messages; without "prompt" it is
// what chosen and rejected have in common, as TRL takes it), ShareGPT's {"conversations", "chosen",
// "rejected"} and Alpaca's {"instruction", "input", "chosen", "rejected"}. limit 0: all.
// Pairs that teach nothing (an empty or equal side) are counted and left out; other forms are
// errors.
LoadedPreferences load_preferences(const std::filesystem::path& path, int64_t limit);

// Is the pair in the held-out share? Decided by a hash of the prompt alone, so pairs with one
// prompt stay together and no prompt is both trained on and scored.
bool is_held_out(const Preference& pair, double share);

struct EncodedPreference {
  std::string id = {};
  std::vector<TokenId> prompt = {}, chosen = {}, rejected = {};  // answers end with eos
  bool prompt_cut = false;
  int64_t answers_cut = 0;  // of the two
};

// Ids in SOLAR's layout (text/chat.h). Prompt and answer together have at most max_length ids:
// the prompt is cut on the left to what the longer answer leaves, but never below a quarter of
// max_length; answers that still do not fit are cut at the end (and lose their eos).
EncodedPreference encode_preference(const Preference& pair, const Tokenizer& tokenizer, TokenId eos,
                                    int64_t max_length);

}  // namespace helio::text
