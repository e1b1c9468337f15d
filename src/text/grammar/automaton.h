// A grammar as an automaton over bytes: its states are sets of stacks, made as they are reached.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/grammar/grammar.h"

namespace helio::text {

// Not for two threads at once. Error{invalid} when a state has more than kStacks stacks (a grammar
// that reads one text in very many ways), or when there are more than kStates.
class GrammarAutomaton {
 public:
  using State = int32_t;
  static constexpr State kDead = -1;
  static constexpr size_t kStacks = 1 << 16, kStates = 1 << 17;

  explicit GrammarAutomaton(std::shared_ptr<const Grammar> grammar);

  State start();
  // The state after a byte; kDead: no text of the grammar goes on so.
  State next(State state, uint8_t byte) {
    const State known = states_[static_cast<size_t>(state)].next[byte];
    return known == kUnknown ? make_next(state, byte) : known;
  }
  bool complete(State state) const { return states_[static_cast<size_t>(state)].complete; }
  // Nothing may follow.
  bool at_end(State state) const { return states_[static_cast<size_t>(state)].stacks.empty(); }

  size_t states() const { return states_.size(); }
  size_t stack_cells() const { return cells_.size(); }
  // A state apart from this automaton's memory: where a new one goes on (see adopt).
  using Stacks = std::vector<std::vector<int32_t>>;
  struct Saved {
    Stacks stacks = {};
    bool complete = false;
  };
  Saved save(State state) const;
  State adopt(const Saved& saved);

 private:
  static constexpr State kUnknown = -2;
  static constexpr int32_t kNothing = -1;
  struct Cell {  // one place to go on from, and the stack below it
    int32_t element, below;
    bool operator==(const Cell&) const = default;
  };
  struct CellHash {
    size_t operator()(const Cell& cell) const {
      return (static_cast<uint64_t>(static_cast<uint32_t>(cell.element)) << 32 |
              static_cast<uint32_t>(cell.below)) *
                 0x9E3779B97F4A7C15ull >>
             7;
    }
  };
  struct StateData {
    std::vector<int32_t> stacks = {};  // cells, ascending
    bool complete = false;
    std::array<State, 256> next = {};
  };
  struct Open;  // places not yet followed to the bytes they want

  int32_t cell(int32_t element, int32_t below);
  void follow(Open& open);
  State state_of(std::vector<int32_t> stacks, bool complete);
  State make_next(State state, uint8_t byte);

  std::shared_ptr<const Grammar> grammar_;
  std::vector<Cell> cells_ = {};
  std::unordered_map<Cell, int32_t, CellHash> known_cells_ = {};
  std::vector<StateData> states_ = {};
  std::map<std::pair<std::vector<int32_t>, bool>, State> known_states_ = {};
};

}  // namespace helio::text
