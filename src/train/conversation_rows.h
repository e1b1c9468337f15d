// Conversations as rows to train on. Torch-free.
#pragma once

#include <vector>

#include "text/conversation_data.h"
#include "text/preference_data.h"
#include "train/batches.h"

namespace helio::train {

enum class LossOn { assistant, all };

struct EncodedConversations {
  std::vector<ExampleBatches::Example> train = {}, heldout = {};
  int64_t cut = 0;                  // longer than max_length: cut at the end
  int64_t nothing_learned = 0;      // dropped: no target was left after the cut
  int64_t tokens = 0, learned = 0;  // of what stays in train
};

struct EncodeOptions {
  int64_t max_length = 512;
  LossOn loss_on = LossOn::assistant;
  double heldout =
      0;  // share; decided by a hash of the user's words, so equal prompts stay together
  text::PlainTexts texts = text::PlainTexts::chat;
};

// Rows in the model's chat template, at most max_length ids long.
EncodedConversations encode_conversations(const std::vector<text::Conversation>& rows,
                                          const text::ChatFormat& format,
                                          const EncodeOptions& options);

}  // namespace helio::train
