#include "text/tokenizer/byte_letters.h"

#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr std::array<char32_t, 256> kLetters = [] {
  std::array<char32_t, 256> letters{};
  char32_t next = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
    letters[byte] = printable ? byte : next++;
  }
  return letters;
}();

constexpr std::array<int16_t, 324> kBytes = [] {
  std::array<int16_t, 324> bytes{};
  for (auto& byte : bytes) byte = -1;
  for (int16_t byte = 0; byte < 256; ++byte) bytes[kLetters[static_cast<size_t>(byte)]] = byte;
  return bytes;
}();

}  // namespace

const std::array<char32_t, 256>& byte_letters() { return kLetters; }

std::string to_byte_letters(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) append_utf8(out, kLetters[static_cast<uint8_t>(byte)]);
  return out;
}

std::optional<std::string> from_byte_letters(std::string_view letters) {
  std::string out;
  out.reserve(letters.size());
  for (size_t at = 0; at < letters.size();) {
    const auto point = decode_utf8(letters, at);
    if (point.status == Utf8::invalid || point.value >= kBytes.size() || kBytes[point.value] < 0)
      return std::nullopt;
    out.push_back(static_cast<char>(kBytes[point.value]));
    at += point.size;
  }
  return out;
}

void write_byte_letters(AlignedText& text) {
  if (!text.tracked()) {
    text.set_text(to_byte_letters(text.text()));
    return;
  }
  std::vector<Change> changes;
  changes.reserve(text.text().size());
  for (const char c : text.text()) {
    const auto byte = static_cast<uint8_t>(c);
    changes.push_back({kLetters[byte], (byte & 0xC0) == 0x80 ? 1 : 0});
  }
  text.transform(changes);
}

}  // namespace helio::text
