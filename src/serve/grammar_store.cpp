#include "serve/grammar_store.h"

#include <algorithm>

namespace helio::serve {

std::shared_ptr<text::TokenGrammar> GrammarStore::find(const std::string& key,
                                                       const std::function<text::Grammar()>& make) {
  const auto known = std::find_if(known_.begin(), known_.end(),
                                  [&](const auto& entry) { return entry.first == key; });
  if (known != known_.end()) {
    known_.splice(known_.begin(), known_, known);
    return known->second;
  }
  auto grammar = std::make_shared<text::Grammar>(make());
  known_.emplace_front(key, std::make_shared<text::TokenGrammar>(std::move(grammar), tokens_));
  if (known_.size() > kGrammars) known_.pop_back();
  return known_.front().second;
}

}  // namespace helio::serve
