// What the split patterns of tokenizers ask of a character: letter, number, white space or other,
// and for some of them which kind of letter, mark or sign it is.
#pragma once

#include <cstdint>

namespace helio::text {

enum class SplitClass : uint8_t { other, letter, number, space };

// A SplitClass in the lowest two bits, and which of it.
enum class FineClass : uint8_t {
  other = 0,
  letter_upper = 1 | 1 << 2,  // Lu and Lt
  letter_lower = 1 | 2 << 2,
  letter_caseless = 1 | 3 << 2,  // Lm and Lo
  number = 2,
  space = 3,
  mark = 4 << 2,
  sign = 5 << 2,          // punctuation and symbols
  later_number = 6 << 2,  // a number to is_numeric_for_digits() alone
};
constexpr SplitClass coarse(FineClass fine) {
  return static_cast<SplitClass>(static_cast<uint8_t>(fine) & 3);
}

// One entry for each code point, as HF tokenizers 0.23 (Oniguruma 6.9.10, Unicode 16) has them.
const FineClass* split_classes();

// Numbers as the Digits pre-tokenizer sees them: Rust's char::is_numeric, at Unicode 17.
constexpr bool is_numeric_for_digits(FineClass fine) {
  return fine == FineClass::number || fine == FineClass::later_number;
}
bool is_numeric_for_digits(char32_t code);

}  // namespace helio::text
