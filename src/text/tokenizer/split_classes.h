// What the split patterns of tokenizers ask of a character: letter, number, white space or other.
#pragma once

#include <cstdint>

namespace helio::text {

enum class SplitClass : uint8_t { other, letter, number, space };

// One entry for each code point, made on first use (about 10 ms). Letters and numbers are those of
// Unicode 16, which HF tokenizers 0.23 (Oniguruma 6.9.10) has: our Unicode library is at 15, and
// the characters assigned since then are listed in the source.
const SplitClass* split_classes();

// Numbers as the Digits pre-tokenizer sees them: Rust's char::is_numeric, at Unicode 17.
bool is_numeric_for_digits(char32_t code);

}  // namespace helio::text
