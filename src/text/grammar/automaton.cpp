#include "text/grammar/automaton.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"

namespace helio::text {

struct GrammarAutomaton::Open {
  std::vector<Cell> todo = {};
  std::unordered_set<Cell, CellHash> seen = {};
  std::vector<int32_t> stacks = {};
  bool complete = false;

  void add(Cell cell) {
    if (seen.insert(cell).second) todo.push_back(cell);
  }
};

GrammarAutomaton::GrammarAutomaton(std::shared_ptr<const Grammar> grammar)
    : grammar_(std::move(grammar)) {}

int32_t GrammarAutomaton::cell(int32_t element, int32_t below) {
  const auto [known, fresh] =
      known_cells_.try_emplace({element, below}, static_cast<int32_t>(cells_.size()));
  if (fresh) cells_.push_back({element, below});
  return known->second;
}

// From places to the bytes they want next. The last rule of an alternative leaves nothing on the
// stack, so that repetitions do not make it grow.
void GrammarAutomaton::follow(Open& open) {
  const auto& elements = grammar_->elements;
  while (!open.todo.empty()) {
    const auto [place, below] = open.todo.back();
    open.todo.pop_back();
    const int32_t element = elements[static_cast<size_t>(place)];
    if (element == Grammar::kEnd) {
      if (below == kNothing) open.complete = true;
      else open.add(cells_[static_cast<size_t>(below)]);
    } else if (element >= 0) {
      open.stacks.push_back(cell(place, below));
    } else {
      const bool last = elements[static_cast<size_t>(place) + 1] == Grammar::kEnd;
      const int32_t back = last ? below : cell(place + 1, below);
      for (const int32_t start : grammar_->rules[static_cast<size_t>(-2 - element)])
        open.add({start, back});
    }
    if (open.seen.size() > kStacks)
      throw Error(ErrorKind::invalid, "the grammar reads a text in more than " +
                                          std::to_string(kStacks) + " ways at once");
  }
}

GrammarAutomaton::State GrammarAutomaton::state_of(std::vector<int32_t> stacks, bool complete) {
  if (stacks.empty() && !complete) return kDead;
  std::sort(stacks.begin(), stacks.end());
  const auto [known, fresh] =
      known_states_.try_emplace({std::move(stacks), complete}, static_cast<State>(states_.size()));
  if (fresh) {
    if (states_.size() >= kStates)
      throw Error(ErrorKind::invalid, "the grammar has too many states to look ahead by one token");
    states_.push_back({.stacks = known->first.first, .complete = complete});
    states_.back().next.fill(kUnknown);
  }
  return known->second;
}

GrammarAutomaton::State GrammarAutomaton::start() {
  Open open;
  for (const int32_t first : grammar_->rules[static_cast<size_t>(grammar_->root)])
    open.add({first, kNothing});
  follow(open);
  return state_of(std::move(open.stacks), open.complete);
}

GrammarAutomaton::State GrammarAutomaton::make_next(State state, uint8_t byte) {
  Open open;
  for (const int32_t top : states_[static_cast<size_t>(state)].stacks) {
    const auto [place, below] = cells_[static_cast<size_t>(top)];
    const auto set = static_cast<size_t>(grammar_->elements[static_cast<size_t>(place)]);
    if (grammar_->sets[set].test(byte)) open.add({place + 1, below});
  }
  follow(open);
  const State next = state_of(std::move(open.stacks), open.complete);
  states_[static_cast<size_t>(state)].next[byte] = next;
  return next;
}

GrammarAutomaton::Saved GrammarAutomaton::save(State state) const {
  const StateData& data = states_[static_cast<size_t>(state)];
  Saved out{.complete = data.complete};
  for (int32_t at : data.stacks) {
    auto& stack = out.stacks.emplace_back();
    for (; at != kNothing; at = cells_[static_cast<size_t>(at)].below)
      stack.push_back(cells_[static_cast<size_t>(at)].element);
  }
  return out;
}

GrammarAutomaton::State GrammarAutomaton::adopt(const Saved& saved) {
  std::vector<int32_t> stacks;
  for (const auto& stack : saved.stacks) {
    int32_t below = kNothing;
    for (size_t i = stack.size(); i-- > 0;) below = cell(stack[i], below);
    stacks.push_back(below);
  }
  return state_of(std::move(stacks), saved.complete);
}

}  // namespace helio::text
