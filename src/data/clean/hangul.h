// Letters (jamo) and syllables of Hangul.
#pragma once

#include <string>
#include <string_view>

namespace helio::data {

// The compatibility letters a reader types: ㄱ..ㅎ are consonants, ㅏ..ㅣ vowels.
constexpr bool is_consonant(char32_t c) { return c >= 0x3131 && c <= 0x314E; }
constexpr bool is_vowel(char32_t c) { return c >= 0x314F && c <= 0x3163; }

// The letters of a syllable, as compatibility letters; final is 0 when it has none.
struct Syllable {
  char32_t initial = 0, vowel = 0, final = 0;
};
Syllable letters_of(char32_t syllable);  // must be a Hangul syllable
// 0 when the letters make no syllable. `final` may be 0.
char32_t syllable_of(char32_t initial, char32_t vowel, char32_t final);

// Half-width and conjoining letters that stand alone as compatibility letters; others unchanged.
char32_t compatibility_letter(char32_t c);

// Letters typed one by one made syllables, where that leaves none over: ㅎㅏㄴㄱㅡㄹ is 한글,
// ㅋㅋㅠㅠ stays. `letters` holds consonants and vowels only.
std::u32string compose_typed(std::u32string_view letters);

}  // namespace helio::data
