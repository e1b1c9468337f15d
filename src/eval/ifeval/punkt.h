// Sentences as NLTK 3.9's PunktSentenceTokenizer finds them with its English parameters (Kiss and
// Strunk 2006), and words as its word_tokenize splits them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace helio::eval::ifeval {

class Punkt {
 public:
  Punkt();  // reads the parameters built into the program

  // Texts are valid UTF-8. Sentences are views into the text.
  std::vector<std::string_view> sentences(std::string_view text) const;

  static const Punkt& shared();  // made at first use

 private:
  struct Token;
  enum class Starts : uint8_t { yes, no, unknown };
  struct Part {
    size_t begin = 0, end = 0;
  };

  std::vector<Part> parts(std::string_view text) const;
  bool has_break(std::string_view context) const;
  std::vector<Token> tokens_of(std::string_view text) const;
  void mark_alone(Token& token) const;
  void mark_beside(Token& token, const Token& next) const;
  Starts starts_sentence(const Token& token) const;
  int context_of(const std::string& type) const;

  std::unordered_set<std::string> abbreviations_ = {}, starters_ = {};
  std::set<std::pair<std::string, std::string>> collocations_ = {};
  std::unordered_map<std::string, int> contexts_ = {};
};

// nltk.word_tokenize(text): Treebank tokens of each sentence.
std::vector<std::string> word_tokenize(std::string_view text);

}  // namespace helio::eval::ifeval
