// Preference pairs: from the field's file forms to messages and ids, and which are held out.
// Training (helio align) and evaluation share this, so that what one holds out the other scores.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "text/chat_format.h"

namespace helio::text {

struct Preference {
  std::string id = {};  // the row's "id", or its place in the file
  std::vector<Message> prompt = {};
  std::string chosen = {}, rejected = {};  // the assistant's last words
  std::string source = {};                 // the row's "source", else the file it is in
  bool plain = false;                      // prompt and answers were texts without roles
  bool unpaired = false;                   // one of the answers is missing: KTO's data
};

struct LoadedPreferences {
  std::vector<Preference> rows = {};
  std::map<std::string, int64_t> refused = {};  // "empty_side", "empty_prompt", "equal_sides"
  int64_t unpaired = 0;                         // of rows: examples with one answer
};

// Reads (preference_layouts.h)
//   TRL's {"prompt", "chosen", "rejected"}, texts or lists of messages; without "prompt" it is what
//     chosen and rejected have in common, as TRL takes it; {"prompt", "completion", "label"} is one
//     side of a pair (KTO);
//   ShareGPT's {"conversations", "chosen", "rejected"}, Alpaca's {"instruction", "input", ...};
//   HH-RLHF's transcripts ("\n\nHuman: ...\n\nAssistant: ..."), Orca pairs' {"system",
//     "question", ...}, UltraFeedback's {"instruction", "completions"}, binarised as for Zephyr.
// limit 0: all. Pairs that teach nothing (an empty or equal side) are counted and left out; other
// forms are errors. `dataset`: a name in LLaMA-Factory's dataset_info.json in the folder `path`.
LoadedPreferences load_preferences(const std::filesystem::path& path, int64_t limit,
                                   const std::string& dataset = {});

// Is the pair in the held-out share? Decided by a hash of the prompt alone, so pairs with one
// prompt stay together and no prompt is both trained on and scored.
bool is_held_out(const Preference& pair, double share);

struct EncodedPreference {
  std::string id = {};
  std::string source = {};
  std::vector<TokenId> prompt = {}, chosen = {}, rejected = {};  // unpaired: one answer is empty
  bool prompt_cut = false;
  int64_t answers_cut = 0;  // of the two
};

// How texts without roles are read: as what a user and the assistant say, or as they stand,
// without a template (TRL's way): the answer's ids are those that follow the prompt's own, and it
// ends with the end-of-text token.
enum class PlainTexts { chat, as_they_stand };

// Ids in the model's chat template (ChatFormat::encode_answers). Prompt and answer together have
// at most max_length ids: the prompt is cut on the left to what the longer answer leaves, but never
// below a quarter of max_length; answers that still do not fit are cut at the end (and lose what
// ends them).
EncodedPreference encode_preference(const Preference& pair, const ChatFormat& format,
                                    int64_t max_length, PlainTexts texts = PlainTexts::chat);

}  // namespace helio::text
