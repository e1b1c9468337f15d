// Which tokens of a vocabulary may come next in a text of a grammar.
// The idea of walking a tree of the vocabulary's texts through the automaton, and of keeping what
// each state allows: Willard & Louf 2023 (Outlines), Dong et al. 2024 (XGrammar).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/tokenizer.h"

namespace helio::text {

// The bytes of all tokens as a tree. Special tokens and ones without bytes are not in it.
class TokenTree {
 public:
  explicit TokenTree(const Tokenizer& tokenizer);

  struct Node {
    uint8_t byte = 0;
    uint16_t depth = 0;           // 0 below the root
    int32_t after = 0;            // the first node that is not below this one
    int32_t first = 0, last = 0;  // in ids(): the tokens that end here
  };
  const std::vector<Node>& nodes() const { return nodes_; }  // each before those below it
  TokenId id(int32_t place) const { return ids_[static_cast<size_t>(place)]; }
  // Empty for a token that is not in the tree.
  const std::string& bytes(TokenId id) const;
  int64_t vocab_size() const { return static_cast<int64_t>(texts_.size()); }

 private:
  std::vector<std::string> texts_ = {};
  std::vector<Node> nodes_ = {};
  std::vector<TokenId> ids_ = {};
};

// One bit an id.
class TokenSet {
 public:
  explicit TokenSet(int64_t size) : bits_(static_cast<size_t>(size + 63) / 64) {}
  void add(TokenId id) { bits_[static_cast<size_t>(id) / 64] |= uint64_t(1) << (id % 64); }
  bool has(TokenId id) const {
    const auto word = static_cast<size_t>(id) / 64;
    return word < bits_.size() && (bits_[word] >> (id % 64) & 1) != 0;
  }
  bool empty() const;
  size_t bytes() const { return bits_.size() * sizeof(uint64_t); }

 private:
  std::vector<uint64_t> bits_;
};

class GrammarMatcher;

// A grammar with a vocabulary: what its states allow is found once and kept, within limits. Shared
// by all texts of the grammar; safe from any thread.
class TokenGrammar {
 public:
  struct Limits {
    size_t states = 1 << 12, stack_cells = 1 << 17;  // above them what is known is found again
    size_t mask_bytes = size_t(8) << 20;
  };
  TokenGrammar(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTree> tokens)
      : TokenGrammar(std::move(grammar), std::move(tokens), Limits{}) {}
  TokenGrammar(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTree> tokens,
               Limits limits);

 private:
  friend class GrammarMatcher;
  using State = GrammarAutomaton::State;
  void make_room();
  std::shared_ptr<const TokenSet> allowed(State state);

  std::shared_ptr<const Grammar> grammar_;
  std::shared_ptr<const TokenTree> tokens_;
  Limits limits_;
  std::mutex mutex_ = {};
  GrammarAutomaton automaton_;
  std::unordered_map<State, std::shared_ptr<const TokenSet>> masks_ = {};
  size_t mask_bytes_ = 0;
  std::vector<GrammarMatcher*> matchers_ = {};  // whose states move to a new automaton
};

// One text on its way through a grammar.
class GrammarMatcher {
 public:
  explicit GrammarMatcher(std::shared_ptr<TokenGrammar> grammar);
  ~GrammarMatcher();
  GrammarMatcher(const GrammarMatcher& other);
  GrammarMatcher& operator=(const GrammarMatcher&) = delete;

  // Tokens with which the text may go on. Error{invalid}: see GrammarAutomaton.
  std::shared_ptr<const TokenSet> allowed();
  // False (and nothing changes) when the token, or the bytes, cannot come next.
  bool accept(TokenId token);
  bool accept(std::string_view bytes);
  bool complete() const;  // the text may end here
  bool at_end() const;    // and nothing can follow

 private:
  friend class TokenGrammar;
  std::shared_ptr<TokenGrammar> grammar_;
  GrammarAutomaton::State state_;
};

}  // namespace helio::text
