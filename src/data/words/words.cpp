#include "data/words/words.h"

#include "core/error.h"
#include "core/hash.h"
#include "data/punctuation.h"
#include "data/words/mecab.h"
#include "data/words/spacy_en.h"
#include "data/words/uax29.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

class Whitespace final : public Words {
 public:
  void split(std::string_view text, std::vector<std::string_view>& words) const override {
    words.clear();
    text::for_each_word(text, [&](std::string_view word) { words.push_back(word); });
  }
  std::string_view name() const override { return "whitespace"; }
};

std::string_view without_outer_symbols(std::string_view word) {
  size_t begin = word.size(), end = 0;
  for (size_t at = 0; at < word.size();) {
    const auto point = text::decode_utf8(word, at);
    if (!is_symbol(point.value)) {
      begin = std::min(begin, at);
      end = at + point.size;
    }
    at += point.size;
  }
  return begin < end ? word.substr(begin, end - begin) : word;
}

class Eojeol final : public Words {
 public:
  void split(std::string_view text, std::vector<std::string_view>& words) const override {
    words.clear();
    text::for_each_word(
        text, [&](std::string_view word) { words.push_back(without_outer_symbols(word)); });
  }
  std::string_view name() const override { return "eojeol"; }
};

class Uax29 final : public Words {
 public:
  void split(std::string_view text, std::vector<std::string_view>& words) const override {
    words.clear();
    for_each_uax29_segment(text, [&](std::string_view segment) {
      if (!text::trim(segment).empty()) words.push_back(segment);
    });
  }
  std::string_view name() const override { return "uax29"; }
};

class SpacyWords final : public Words {
 public:
  void split(std::string_view text, std::vector<std::string_view>& words) const override {
    thread_local std::vector<SpacyToken> tokens;
    SpacyEnglish::shared().tokenize(text, tokens);
    words.clear();
    for (const SpacyToken& token : tokens)
      if (token.kind == SpacyToken::Kind::word) words.push_back(token.text);
  }
  std::string_view name() const override { return "spacy-en"; }
};

}  // namespace

Rule words_rule() { return one_of({"whitespace", "eojeol", "uax29", "spacy-en", "mecab"}); }

std::shared_ptr<const Words> make_words(std::string_view name) {
  if (name == "whitespace") return std::make_shared<Whitespace>();
  if (name == "eojeol") return std::make_shared<Eojeol>();
  if (name == "uax29") return std::make_shared<Uax29>();
  if (name == "spacy-en") return std::make_shared<SpacyWords>();
  if (name == "mecab") return make_mecab();
  throw Error(ErrorKind::invalid, "no words are called '" + std::string(name) + "'")
      .with_hint("whitespace, eojeol, uax29, spacy-en or mecab");
}

const std::vector<std::string_view>& words_of(const Words& words, std::string_view text) {
  struct Last {
    std::string name = {};
    const char* at = nullptr;
    size_t size = 0;
    Hash128 hash = {};
    std::vector<std::string_view> words = {};
  };
  thread_local Last last;
  // Another text may stand where the last one stood: its bytes decide.
  const Hash128 hash = xxh3_128(text);
  if (last.at == text.data() && last.size == text.size() && last.hash == hash &&
      last.name == words.name())
    return last.words;
  last.at = nullptr;  // should split throw
  words.split(text, last.words);
  last.name = words.name();
  last.size = text.size();
  last.hash = hash;
  last.at = text.data();
  return last.words;
}

}  // namespace helio::data
