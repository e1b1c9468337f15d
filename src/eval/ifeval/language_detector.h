// Which language a text is in, with the verdicts of PyPI langdetect 1.0.9 seeded with 0: naive
// Bayes over 1- to 3-character n-grams, 55 languages (Nakatani Shuyo's language-detection), its
// random choices made by CPython's generator. Profiles are taken in name order.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace helio::eval::ifeval {

class LanguageDetector {
 public:
  LanguageDetector();  // reads the profiles built into the program

  // A language code ("en", "zh-cn"), "unknown", or nothing where the text has no feature (where
  // langdetect.detect raises).
  std::optional<std::string> detect(std::string_view text) const;

  static const LanguageDetector& shared();  // made at first use

 private:
  struct Share {
    uint32_t language = 0;
    double probability = 0;
  };
  struct Gram {
    uint32_t begin = 0, end = 0;  // in shares_
  };

  std::u32string clean(std::string_view text) const;
  char32_t normalized(char32_t c) const;
  std::vector<Gram> grams_of(const std::u32string& text) const;

  std::vector<std::string> languages_ = {};
  std::vector<Share> shares_ = {};
  std::unordered_map<uint64_t, Gram> grams_ = {};  // by up to three characters, 21 bits each
  std::unordered_map<char32_t, char32_t> alike_ = {};
  std::unordered_map<uint64_t, char32_t> composed_ = {};  // plain letter << 32 | mark
};

}  // namespace helio::eval::ifeval
