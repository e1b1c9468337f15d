// Conversations for supervised fine-tuning: files to messages to rows of ids. Torch-free.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "text/chat.h"
#include "train/batches.h"

namespace helio::train {

struct Conversation {
  std::string id = {};  // the row's "id", or its place in the file
  std::vector<text::Message> messages = {};
};

struct LoadedConversations {
  std::vector<Conversation> rows = {};
  std::map<std::string, int64_t> refused = {};  // reason -> rows: "empty_answer", "no_answer"
};

// Reads {"messages": [...]}, ShareGPT's {"conversations": [...]}, {"prompt", "completion"} and
// Alpaca's {"instruction", "input", "output"}; instruction and input are joined by a blank line, and
// Alpaca's "system" and "history" are kept. limit 0: all. A row of another form is an error.
LoadedConversations load_conversations(const std::filesystem::path& path, int64_t limit);

enum class LossOn { assistant, all };

struct EncodedConversations {
  std::vector<ExampleBatches::Example> train = {}, heldout = {};
  int64_t cut = 0;            // longer than max_length: cut at the end
  int64_t nothing_learned = 0;  // dropped: no target was left after the cut
  int64_t tokens = 0, learned = 0;  // of what stays in train
};

struct EncodeOptions {
  int64_t max_length = 512;
  LossOn loss_on = LossOn::assistant;
  double heldout = 0;  // share; decided by a hash of the user's words, so equal prompts stay together
};

// Rows in SOLAR's layout (text/chat.h), at most max_length ids long.
EncodedConversations encode_conversations(const std::vector<Conversation>& rows,
                                          const text::Tokenizer& tokenizer, TokenId eos,
                                          const EncodeOptions& options);

// True when something with this content belongs to the held-out share: a hash of the content as a
// number in [0, 1) is below it. Order, limits and other rows do not matter.
bool is_held_out(std::string_view content, double share);

}  // namespace helio::train
