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
  to_byte_letters(bytes, out);
  return out;
}

void to_byte_letters(std::string_view bytes, std::string& letters) {
  letters.resize(bytes.size() * 2);
  char* end = letters.data();
  for (const char byte : bytes) {
    const char32_t letter = kLetters[static_cast<uint8_t>(byte)];
    if (letter < 0x80) {
      *end++ = static_cast<char>(letter);
    } else {
      *end++ = static_cast<char>(0xC0 | (letter >> 6));
      *end++ = static_cast<char>(0x80 | (letter & 0x3F));
    }
  }
  letters.resize(static_cast<size_t>(end - letters.data()));
}

std::optional<std::string> from_byte_letters(std::string_view letters) {
  std::string out;
  return append_read_letters(letters, out) ? std::optional(std::move(out)) : std::nullopt;
}

bool append_read_letters(std::string_view letters, std::string& bytes) {
  const size_t before = bytes.size();
  bytes.resize(before + letters.size());
  char* to = bytes.data() + before;
  for (size_t at = 0; at < letters.size();) {
    CodePoint point = {static_cast<uint8_t>(letters[at]), 1, Utf8::valid};
    if (point.value >= 0x80) {
      const bool two = point.value >= 0xC2 && point.value < 0xE0 && at + 1 < letters.size() &&
                       (static_cast<uint8_t>(letters[at + 1]) & 0xC0) == 0x80;
      if (two) point = {((point.value & 31) << 6) | (letters[at + 1] & 63), 2, Utf8::valid};
      else point = decode_utf8(letters, at);
    }
    if (point.status == Utf8::invalid || point.value >= kBytes.size() || kBytes[point.value] < 0) {
      bytes.resize(before);
      return false;
    }
    *to++ = static_cast<char>(kBytes[point.value]);
    at += point.size;
  }
  bytes.resize(static_cast<size_t>(to - bytes.data()));
  return true;
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
