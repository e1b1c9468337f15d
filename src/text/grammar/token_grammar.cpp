#include "text/grammar/token_grammar.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace helio::text {
namespace {

constexpr size_t kLongestToken = 4096;  // longer ones are left out of the tree

}  // namespace

TokenTree::TokenTree(const Tokenizer& tokenizer)
    : texts_(static_cast<size_t>(tokenizer.vocab_size())) {
  std::vector<bool> special(texts_.size(), false);
  for (const auto& token : tokenizer.added_tokens())
    if (token.special && token.id >= 0 && static_cast<size_t>(token.id) < special.size())
      special[static_cast<size_t>(token.id)] = true;
  for (size_t id = 0; id < texts_.size(); ++id) {
    if (special[id]) continue;
    try {
      texts_[id] = tokenizer.token_bytes(static_cast<TokenId>(id));
    } catch (const std::exception&) {  // a hole in the vocabulary
    }
    if (texts_[id].size() > kLongestToken) texts_[id].clear();
    if (!texts_[id].empty()) ids_.push_back(static_cast<TokenId>(id));
  }
  const auto text = [&](TokenId id) -> const std::string& {
    return texts_[static_cast<size_t>(id)];
  };
  std::stable_sort(ids_.begin(), ids_.end(),
                   [&](TokenId a, TokenId b) { return text(a) < text(b); });
  std::vector<int32_t> open;  // the nodes of the last token's bytes
  const auto close = [&](size_t depth) {
    for (; open.size() > depth; open.pop_back())
      nodes_[static_cast<size_t>(open.back())].after = static_cast<int32_t>(nodes_.size());
  };
  const std::string* before = nullptr;
  for (size_t i = 0; i < ids_.size(); ++i) {
    const std::string& bytes = text(ids_[i]);
    size_t same = 0;
    if (before)
      while (same < std::min(bytes.size(), before->size()) && bytes[same] == (*before)[same])
        ++same;
    close(same);
    for (size_t d = same; d < bytes.size(); ++d) {
      open.push_back(static_cast<int32_t>(nodes_.size()));
      nodes_.push_back({.byte = static_cast<uint8_t>(bytes[d]), .depth = static_cast<uint16_t>(d)});
    }
    Node& end = nodes_[static_cast<size_t>(open.back())];
    if (end.last == 0) end.first = static_cast<int32_t>(i);
    end.last = static_cast<int32_t>(i) + 1;
    before = &bytes;
  }
  close(0);
}

const std::string& TokenTree::bytes(TokenId id) const {
  static const std::string none;
  return id >= 0 && static_cast<size_t>(id) < texts_.size() ? texts_[static_cast<size_t>(id)]
                                                            : none;
}

bool TokenSet::empty() const {
  return std::all_of(bits_.begin(), bits_.end(), [](uint64_t word) { return word == 0; });
}

TokenGrammar::TokenGrammar(std::shared_ptr<const Grammar> grammar,
                           std::shared_ptr<const TokenTree> tokens, Limits limits)
    : grammar_(std::move(grammar)),
      tokens_(std::move(tokens)),
      limits_(limits),
      automaton_(grammar_) {}

// With too much known, a new automaton begins with the states that texts are in.
void TokenGrammar::make_room() {
  if (automaton_.states() <= limits_.states && automaton_.stack_cells() <= limits_.stack_cells)
    return;
  GrammarAutomaton fresh(grammar_);
  for (GrammarMatcher* matcher : matchers_)
    matcher->state_ = fresh.adopt(automaton_.save(matcher->state_));
  automaton_ = std::move(fresh);
  masks_.clear();
  mask_bytes_ = 0;
}

std::shared_ptr<const TokenSet> TokenGrammar::allowed(State state) {
  if (const auto known = masks_.find(state); known != masks_.end()) return known->second;
  auto mask = std::make_shared<TokenSet>(tokens_->vocab_size());
  const auto& nodes = tokens_->nodes();
  std::vector<State> path(1, state);
  for (int32_t i = 0; i < static_cast<int32_t>(nodes.size());) {
    const auto& node = nodes[static_cast<size_t>(i)];
    path.resize(node.depth + size_t(1));
    const State next = automaton_.next(path.back(), node.byte);
    if (next == GrammarAutomaton::kDead) {
      i = node.after;
      continue;
    }
    for (int32_t k = node.first; k < node.last; ++k) mask->add(tokens_->id(k));
    path.push_back(next);
    ++i;
  }
  if (mask_bytes_ + mask->bytes() > limits_.mask_bytes) {
    masks_.clear();
    mask_bytes_ = 0;
  }
  mask_bytes_ += mask->bytes();
  masks_.emplace(state, mask);
  return mask;
}

GrammarMatcher::GrammarMatcher(std::shared_ptr<TokenGrammar> grammar)
    : grammar_(std::move(grammar)) {
  const std::lock_guard lock(grammar_->mutex_);
  state_ = grammar_->automaton_.start();
  HELIO_CHECK(state_ != GrammarAutomaton::kDead, "a grammar with a text");
  grammar_->matchers_.push_back(this);
}

GrammarMatcher::GrammarMatcher(const GrammarMatcher& other) : grammar_(other.grammar_) {
  const std::lock_guard lock(grammar_->mutex_);
  state_ = other.state_;
  grammar_->matchers_.push_back(this);
}

GrammarMatcher::~GrammarMatcher() {
  const std::lock_guard lock(grammar_->mutex_);
  std::erase(grammar_->matchers_, this);
}

std::shared_ptr<const TokenSet> GrammarMatcher::allowed() {
  const std::lock_guard lock(grammar_->mutex_);
  grammar_->make_room();
  return grammar_->allowed(state_);
}

bool GrammarMatcher::accept(TokenId token) {
  const std::string& bytes = grammar_->tokens_->bytes(token);
  return !bytes.empty() && accept(bytes);
}

bool GrammarMatcher::accept(std::string_view bytes) {
  const std::lock_guard lock(grammar_->mutex_);
  grammar_->make_room();
  auto state = state_;
  for (const char byte : bytes) {
    state = grammar_->automaton_.next(state, static_cast<uint8_t>(byte));
    if (state == GrammarAutomaton::kDead) return false;
  }
  state_ = state;
  return true;
}

bool GrammarMatcher::complete() const {
  const std::lock_guard lock(grammar_->mutex_);
  return grammar_->automaton_.complete(state_);
}

bool GrammarMatcher::at_end() const {
  const std::lock_guard lock(grammar_->mutex_);
  return grammar_->automaton_.at_end(state_);
}

}  // namespace helio::text
