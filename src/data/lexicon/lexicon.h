// Words of a list found in a text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace helio::data {

// A list: one word or phrase a line; '#' begins a comment line, '[name]' a category. A JSON file is
// a list of strings, or an object with one list of strings for each category.
struct WordList {
  struct Category {
    std::string name = {};
    std::vector<std::string> words = {};
  };
  std::vector<Category> categories = {};  // words before any category are of "words"
};
WordList read_word_list(const std::filesystem::path& path);

// Counts how often the words of each category occur. Text and words are compared in lower case.
//
// A word of Latin letters counts where it stands alone. A Korean one counts where an 어절 begins
// with it or holds it behind an earlier part, as endings and particles follow and prefixes go
// before; one of a single syllable only where it is the whole 어절, for it is part of too many
// others.
class Lexicon {
 public:
  explicit Lexicon(const WordList& list);
  size_t categories() const { return count_; }
  // By category.
  std::vector<int64_t> count(std::string_view text) const;

 private:
  struct Entry {
    std::u32string word = {};
    uint32_t category = 0;
  };
  std::unordered_map<uint64_t, std::vector<Entry>> by_beginning_ = {};  // its first two characters
  size_t count_ = 0;
};

}  // namespace helio::data
