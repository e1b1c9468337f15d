#include "train/conversation_rows.h"

#include "core/error.h"

namespace helio::train {

namespace {

text::RenderedChat render(const text::Conversation& conversation, const text::ChatFormat& format,
                          text::PlainTexts texts) {
  if (!conversation.plain || texts == text::PlainTexts::chat)
    return format.encode(conversation.messages);
  const auto ids = format.encode_plain(conversation.messages.front().content,
                                       {conversation.messages.back().content});
  text::RenderedChat chat{.ids = ids.prompt};
  chat.ids.insert(chat.ids.end(), ids.answers[0].begin(), ids.answers[0].end());
  chat.assistant.assign(ids.prompt.size(), 0);
  chat.assistant.resize(chat.ids.size(), 1);
  return chat;
}

}  // namespace

EncodedConversations encode_conversations(const std::vector<text::Conversation>& rows,
                                          const text::ChatFormat& format,
                                          const EncodeOptions& options) {
  EncodedConversations encoded;
  for (const text::Conversation& conversation : rows) {
    auto chat = in_context([&] { return "encoding conversation " + conversation.id; },
                           [&] { return render(conversation, format, options.texts); });
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
