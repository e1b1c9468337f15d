#include "data/language.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <unordered_map>

#include "text/unicode.h"

namespace helio::data {
namespace {

enum Latin : uint8_t { en, de, fr, es, it, pt, nl, latin_count };
constexpr std::array<std::string_view, latin_count> kCodes = {"en", "de", "fr", "es",
                                                              "it", "pt", "nl"};
// Function words of each, chosen so that few stand in two lists; those that do count for both.
constexpr std::array<std::string_view, latin_count> kWords = {
    "the of and to in is you that it for on with as are be this from or by not have can if will an "
    "at which when your all was but has their",
    "der die und das den von zu mit ist auf für nicht ein eine als auch dem des sich es im werden "
    "oder wird bei kann sie sind",
    "le la les et des du une est que pour dans qui sur pas au avec ce par sont vous ou il ne cette "
    "aux être",
    "el los las que y en un una por con para es del se no su lo como más este puede pero",
    "il che di è per una con non sono della del nel gli dei alla come più si questo le può",
    "o que e do da em um para com não uma os no se na por mais as dos como ao",
    "de het een van en is dat op te in voor met zijn niet aan er om ook als bij"};

struct Member {
  size_t index = 0;       // of the word among all
  uint8_t languages = 0;  // bits
};
using Members = std::unordered_map<std::string_view, Member>;
constexpr size_t kMostMembers = 512;

const Members& members() {
  static const Members all = [] {
    Members result;
    for (size_t i = 0; i < kWords.size(); ++i)
      text::for_each_word(kWords[i], [&](std::string_view word) {
        Member& member = result.try_emplace(word, Member{result.size(), 0}).first->second;
        member.languages = static_cast<uint8_t>(member.languages | (1u << i));
      });
    return result;
  }();
  return all;
}

// What a word is made of.
struct Letters {
  int64_t hangul = 0, kana = 0, han = 0, cyrillic = 0, latin = 0, other = 0;
};

void count_letter(Letters& letters, char32_t c) {
  if (c < 0x80) {
    const char32_t lower = c | 0x20;
    letters.latin += lower >= 'a' && lower <= 'z';
  } else if (text::is_hangul(c)) ++letters.hangul;
  else if (c >= 0x3041 && c <= 0x30FF) ++letters.kana;
  else if (text::is_han(c)) ++letters.han;
  else if (c >= 0x0400 && c <= 0x052F) ++letters.cyrillic;
  else if (text::is_letter(c))
    (c < 0x250 || (c >= 0x1E00 && c <= 0x1EFF) ? letters.latin : letters.other)++;
}

bool is_edge(char c) {
  return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80);
}

}  // namespace

Language identify_language(std::string_view text, const LanguageOptions& options) {
  int64_t words = 0, hangul_words = 0, latin_words = 0;
  std::array<int64_t, latin_count> hits = {}, kinds = {};  // of function words, and different ones
  std::bitset<kMostMembers> seen;
  Letters all;
  std::string lower;
  text::for_each_word(text, [&](std::string_view word) {
    Letters in_word;
    for (size_t at = 0; at < word.size();) {
      const auto point = text::decode_utf8(word, at);
      at += point.size;
      count_letter(in_word, point.value);
    }
    const int64_t letters = in_word.hangul + in_word.kana + in_word.han + in_word.cyrillic +
                            in_word.latin + in_word.other;
    if (letters == 0) return;
    ++words;
    hangul_words += in_word.hangul > 0;
    all.kana += in_word.kana, all.han += in_word.han, all.cyrillic += in_word.cyrillic;
    all.latin += in_word.latin, all.other += in_word.other, all.hangul += in_word.hangul;
    if (in_word.latin != letters) return;
    ++latin_words;
    while (!word.empty() && is_edge(word.front())) word.remove_prefix(1);
    while (!word.empty() && is_edge(word.back())) word.remove_suffix(1);
    if (word.size() > 8) return;  // no word of the lists is longer
    lower.assign(word);
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = char(c | 0x20);
    const auto found = members().find(lower);
    if (found == members().end()) return;
    const bool first = !seen.test(found->second.index);
    seen.set(found->second.index);
    for (size_t i = 0; i < latin_count; ++i) {
      const int64_t counts = (found->second.languages >> i) & 1;
      hits[i] += counts;
      kinds[i] += first ? counts : 0;
    }
  });

  Language result;
  if (words == 0) return result;
  result.hangul = double(hangul_words) / double(words);
  if (result.hangul >= options.min_hangul) return {"ko", result.hangul, result.hangul};
  const int64_t letters = all.hangul + all.kana + all.han + all.cyrillic + all.latin + all.other;
  const auto share = [&](int64_t part) { return double(part) / double(letters); };
  const double east_asian = share(all.kana + all.han);
  if (east_asian > 0.3) return {share(all.kana) > 0.05 ? "ja" : "zh", east_asian, result.hangul};
  if (share(all.cyrillic) > 0.5) return {"ru", share(all.cyrillic), result.hangul};
  if (result.hangul > options.max_hangul) return {"mixed", result.hangul, result.hangul};
  if (latin_words == 0) return result;
  const auto best = static_cast<size_t>(std::max_element(hits.begin(), hits.end()) - hits.begin());
  result.score = double(hits[best]) / double(latin_words);
  // A lone "for" is code as often as it is English.
  if (result.score >= options.min_stop_words && kinds[best] >= 2) result.code = kCodes[best];
  return result;
}

}  // namespace helio::data
