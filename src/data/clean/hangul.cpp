#include "data/clean/hangul.h"

#include <array>

#include "text/unicode.h"

namespace helio::data {
namespace {

constexpr std::u32string_view kInitials = U"ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
constexpr std::u32string_view kFinals = U"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
constexpr char32_t kFirstVowel = 0x314F, kFirstSyllable = 0xAC00;

size_t place_in(std::u32string_view letters, char32_t c) { return letters.find(c); }

}  // namespace

Syllable letters_of(char32_t syllable) {
  const uint32_t index = syllable - kFirstSyllable;
  const uint32_t final = index % 28;
  return {kInitials[index / 588], char32_t(kFirstVowel + index % 588 / 28),
          final == 0 ? char32_t(0) : kFinals[final - 1]};
}

char32_t syllable_of(char32_t initial, char32_t vowel, char32_t final) {
  const size_t first = place_in(kInitials, initial);
  if (first == kInitials.npos || !is_vowel(vowel)) return 0;
  size_t last = 0;
  if (final != 0) {
    last = place_in(kFinals, final);
    if (last == kFinals.npos) return 0;
    ++last;
  }
  return char32_t(kFirstSyllable + first * 588 + (vowel - kFirstVowel) * 28 + last);
}

char32_t compatibility_letter(char32_t c) {
  if (c >= 0xFFA1 && c <= 0xFFBE) return c - 0xFFA1 + 0x3131;  // the same order, without gaps
  if (c >= 0xFFC2 && c <= 0xFFC7) return c - 0xFFC2 + 0x314F;
  if (c >= 0xFFCA && c <= 0xFFCF) return c - 0xFFCA + 0x3155;
  if (c >= 0xFFD2 && c <= 0xFFD7) return c - 0xFFD2 + 0x315B;
  if (c >= 0xFFDA && c <= 0xFFDC) return c - 0xFFDA + 0x3161;
  if (c >= 0x1100 && c <= 0x1112) return kInitials[c - 0x1100];
  if (c >= 0x1161 && c <= 0x1175) return c - 0x1161 + kFirstVowel;
  if (c >= 0x11A8 && c <= 0x11C2) return kFinals[c - 0x11A8];
  return c;
}

std::u32string compose_typed(std::u32string_view letters) {
  std::u32string out;
  size_t at = 0;
  while (at < letters.size()) {
    if (at + 1 >= letters.size() || !is_vowel(letters[at + 1])) return std::u32string(letters);
    const char32_t open = syllable_of(letters[at], letters[at + 1], 0);
    if (open == 0) return std::u32string(letters);
    at += 2;
    // A consonant is a final unless a vowel follows it, which begins the next syllable.
    const bool closes = at < letters.size() && is_consonant(letters[at]) &&
                        (at + 1 >= letters.size() || is_consonant(letters[at + 1]));
    const Syllable parts = letters_of(open);
    const char32_t closed = closes ? syllable_of(parts.initial, parts.vowel, letters[at]) : 0;
    out += closed ? closed : open;
    at += closed ? 1 : 0;
  }
  return out;
}

}  // namespace helio::data
