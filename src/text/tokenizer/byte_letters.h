// The visible letters that byte-level tokenizers write bytes with (Radford et al. 2019, GPT-2):
// printable Latin-1 bytes stand for themselves, the other 68 for U+0100 and on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/tokenizer/aligned_text.h"

namespace helio::text {

// The letter of each byte.
const std::array<char32_t, 256>& byte_letters();
// Bytes written in letters, and back; nothing when some character is no byte's letter.
std::string to_byte_letters(std::string_view bytes);
void to_byte_letters(std::string_view bytes, std::string& letters);  // replaces `letters`
std::optional<std::string> from_byte_letters(std::string_view letters);
// Appends the bytes and returns true, or leaves `bytes` as they are.
bool append_read_letters(std::string_view letters, std::string& bytes);
// Writes a whole text in letters; each has the source of its character.
void write_byte_letters(AlignedText& text);

}  // namespace helio::text
