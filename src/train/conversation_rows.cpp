#include "train/conversation_rows.h"

#include "core/error.h"

namespace helio::train {

EncodedConversations encode_conversations(const std::vector<text::Conversation>& rows,
                                          const text::Tokenizer& tokenizer, TokenId eos,
                                          const EncodeOptions& options) {
  EncodedConversations encoded;
  for (const text::Conversation& conversation : rows) {
    auto chat = in_context([&] { return "encoding conversation " + conversation.id; },
                           [&] {
                             return text::render_solar(conversation.messages, tokenizer, eos,
                                                       text::GenerationPrompt::omit);
                           });
    const auto room = static_cast<size_t>(options.max_length);
    if (chat.ids.size() > room) {
      chat.ids.resize(room);
      chat.assistant.resize(room);
      ++encoded.cut;
    }
    ExampleBatches::Example example{.id = conversation.id};
    for (size_t i = 0; i + 1 < chat.ids.size(); ++i) {
      const bool learned = options.loss_on == LossOn::all || chat.assistant[i + 1];
      example.row.inputs.push_back(chat.ids[i]);
      example.row.targets.push_back(learned ? chat.ids[i + 1] : kNotLearned);
    }
    if (example.row.learned() == 0) {
      ++encoded.nothing_learned;
      continue;
    }
    if (text::is_held_out(text::user_words(conversation), options.heldout)) {
      encoded.heldout.push_back(std::move(example));
      continue;
    }
    encoded.tokens += static_cast<int64_t>(example.row.inputs.size());
    encoded.learned += example.row.learned();
    encoded.train.push_back(std::move(example));
  }
  if (encoded.train.empty())
    throw Error(ErrorKind::invalid, "no conversation is left to train on")
        .with_hint("raise max_length or lower the held-out share");
  return encoded;
}

}  // namespace helio::train
