// Conversations for supervised fine-tuning, from the field's file forms. Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "text/chat.h"

namespace helio::text {

struct Conversation {
  std::string id = {};  // the row's "id", or its place in the file
  std::vector<Message> messages = {};
  bool plain = false;  // prompt and completion were texts without roles
};

struct LoadedConversations {
  std::vector<Conversation> rows = {};
  std::map<std::string, int64_t> refused = {};  // reason -> rows: "empty_answer", "no_answer"
};

// Reads {"messages": [...]}, ShareGPT's {"conversations": [...]}, {"prompt", "completion"} and
// Alpaca's {"instruction", "input", "output"}; instruction and input are joined by a blank line,
// and Alpaca's "system" and "history" are kept. limit 0: all. A row of another form is an error.
// `dataset`: a name in LLaMA-Factory's dataset_info.json in the folder `path`.
LoadedConversations load_conversations(const std::filesystem::path& path, int64_t limit,
                                       const std::string& dataset = {});

// What is not the assistant's, one message a line: what a held-out split of conversations hashes.
std::string user_words(const Conversation& row);

// True when something with this content belongs to the held-out share: a hash of the content as a
// number in [0, 1) is below it. Order, limits and other rows do not matter.
bool is_held_out(std::string_view content, double share);

}  // namespace helio::text
