// Texts to the words a tokenizer is trained on.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "core/json.h"

namespace helio::text {

class JsonTokenizer;

class WordCutter {
 public:
  using Visit = std::function<void(std::string_view word)>;
  // Whether a piece falls apart before each U+2581 (SentencePiece's mark of a word's beginning)
  // that stands behind another character: for tokenizers that do not cut texts themselves.
  enum class AtMarks { leave, cut };

  // Cuts as a tokenizer.json does: by its added tokens, which are left out, its normaliser and its
  // pre-tokenizer. The words of one that ends in ByteLevel are raw bytes, not written in letters.
  WordCutter(std::shared_ptr<const JsonTokenizer> tokenizer, AtMarks at_marks);
  // The same for a whole tokenizer.json, of which the model does not matter.
  explicit WordCutter(const Json& tokenizer_json);

  // Any bytes; invalid UTF-8 is read as U+FFFD. A word is not empty, and valid during the visit.
  // Several threads may cut at once.
  void cut(std::string_view text, const Visit& visit) const;

 private:
  std::shared_ptr<const JsonTokenizer> tokenizer_;
  AtMarks at_marks_;
};

}  // namespace helio::text
