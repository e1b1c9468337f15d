// What the filters with published thresholds share: the names of their sets and how a set is
// chosen.
//
// A threshold belongs to the words it was found with, so a set names both:
//
//   english-spacy       as published, words by spaCy: what datatrove does for English
//   english-whitespace  as published, words by white space: ten times as fast, nearly the same
//   korean-fineweb2     FineWeb-2's for Korean, found with Kiwi's morphemes; here words by MeCab
//   korean-mecab        the same moved to MeCab's morphemes by tools/calibrate_korean.py
//   korean-eojeol       the same moved to 어절
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "core/fields.h"
#include "data/op.h"

namespace helio::data {

inline Rule preset_rule() {
  return one_of(
      {"english-spacy", "english-whitespace", "korean-fineweb2", "korean-mecab", "korean-eojeol"});
}
inline constexpr const char* kPresetHelp =
    "Thresholds and the words they are for; each can still be set by itself.";

// Reads `preset` first, so that what the recipe says of single options comes on top of it: when it
// is another than before, `choose(preset)` sets what follows.
template <class Choose>
void read_preset(Fields& f, std::string& preset, Choose&& choose) {
  const std::string before = preset;
  f("preset", preset, kPresetHelp, preset_rule());
  if (preset != before) choose();
}

inline std::string words_of_preset(const std::string& preset) {
  if (preset == "english-spacy") return "spacy-en";
  if (preset == "english-whitespace") return "whitespace";
  if (preset == "korean-eojeol") return "eojeol";
  return "mecab";
}

// Sets all options back, keeps `preset` and takes the words it is for: how each choose() begins.
template <class Options>
void begin_preset(Options& options) {
  const std::string chosen = options.preset;
  options = Options{};
  options.preset = chosen;
  options.words = words_of_preset(chosen);
}

// A limit of 0 switches a rule off.
inline double limit_or_off(double limit) {
  return limit > 0 ? limit : std::numeric_limits<double>::quiet_NaN();
}

// One check for each length of a run of words, from `shortest` up: its reason is the length between
// `before` and `after`.
inline void add_run_checks(std::vector<Check>& checks, const std::string& before, size_t shortest,
                           const std::string& after, const std::vector<double>& limits) {
  for (size_t i = 0; i < limits.size(); ++i)
    checks.push_back(
        {before + std::to_string(shortest + i) + after, Check::Drops::above, limits[i]});
}

}  // namespace helio::data
