#include "text/tokenizer/token_texts.h"

#include <cstring>
#include <limits>

#include "text/tokenizer/byte_letters.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr std::string_view kReplaced = "\uFFFD";

// Copies a text, most often a short one.
char* write(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// The bytes in [begin, end) of a run of byte tokens, made text; there is room for it.
char* end_run(char* begin, char* end) {
  const auto count = static_cast<size_t>(end - begin);
  if (count == 0 || is_valid_utf8({begin, count})) return end;
  for (size_t i = 0; i < count; ++i) begin = write(begin, kReplaced);
  return begin;
}

}  // namespace

void TokenTexts::put(TokenId id, std::string_view text, Value value) {
  if (bytes_.size() + text.size() > std::numeric_limits<uint32_t>::max())
    throw malformed("the tokens have more than 4 GB of text");
  Entry& entry = entries_[static_cast<size_t>(id)];
  entry.begin = static_cast<uint32_t>(bytes_.size());
  entry.size = static_cast<uint32_t>(text.size());
  entry.value = value;
  bytes_ += text;
}

void TokenTexts::put_letters(TokenId id, std::string_view token) {
  const size_t begin = bytes_.size();
  if (!append_read_letters(token, bytes_)) return put(id, token);
  if (bytes_.size() > std::numeric_limits<uint32_t>::max())
    throw malformed("the tokens have more than 4 GB of text");
  Entry& entry = entries_[static_cast<size_t>(id)];
  entry.begin = static_cast<uint32_t>(begin);
  entry.size = static_cast<uint32_t>(bytes_.size() - begin);
  entry.value = Value::text;
}

std::string TokenTexts::joined(const std::vector<TokenId>& ids, SpecialTokens special) const {
  size_t size = 0;
  for_each(ids, special, [&](const Entry& entry) { size += entry.size; });
  std::string out(size, '\0');
  char* to = out.data();
  for_each(ids, special, [&](const Entry& entry) {
    to = write(to, {bytes_.data() + entry.begin, entry.size});
  });
  return out;
}

std::string TokenTexts::joined_with_bytes(const std::vector<TokenId>& ids,
                                          SpecialTokens special) const {
  size_t size = 0;
  for_each(ids, special, [&](const Entry& entry) {
    size += entry.value == Value::byte ? kReplaced.size() : entry.size;
  });
  std::string out(size, '\0');
  char* to = out.data();
  char* run = to;
  for_each(ids, special, [&](const Entry& entry) {
    if (entry.value == Value::text) to = end_run(run, to);
    to = write(to, {bytes_.data() + entry.begin, entry.size});
    if (entry.value == Value::text) run = to;
  });
  to = end_run(run, to);
  out.resize(static_cast<size_t>(to - out.data()));
  return out;
}

}  // namespace helio::text
