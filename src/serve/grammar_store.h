// Grammars that requests ask for, each made once for a model and kept while it is used: what its
// states allow is then known to the next request, too.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "text/grammar/token_grammar.h"

namespace helio::serve {

// For one thread.
class GrammarStore {
 public:
  static constexpr size_t kGrammars = 32;
  // Symbols of a grammar that a client may send: compiling it must not hold others up.
  static constexpr text::GrammarLimits kLimits = {.symbols = 200'000};

  explicit GrammarStore(const text::Tokenizer& tokenizer)
      : tokens_(std::make_shared<text::TokenTree>(tokenizer)) {}

  // `key` is everything that the grammar follows from.
  std::shared_ptr<text::TokenGrammar> find(const std::string& key,
                                           const std::function<text::Grammar()>& make);

 private:
  std::shared_ptr<const text::TokenTree> tokens_;
  std::list<std::pair<std::string, std::shared_ptr<text::TokenGrammar>>> known_ = {};
};

}  // namespace helio::serve
