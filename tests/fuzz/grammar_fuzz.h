// What the grammar fuzz target and its replay run: JSON schemas where the text begins with {, else
// GBNF, each walked for a while.
#pragma once

#include <memory>
#include <string_view>

#include "core/error.h"
#include "core/json.h"
#include "text/grammar/automaton.h"
#include "text/grammar/gbnf.h"
#include "text/grammar/json_schema.h"

namespace helio::text::fuzz {

// Only Error{invalid} may come out; from every state that is reached some text must come to an end.
inline void try_grammar(std::string_view data) {
  try {
    const GrammarLimits limits{.symbols = 20'000};
    std::shared_ptr<const Grammar> grammar;
    if (data.starts_with("{")) {
      parse_json(data, "fuzz");
      grammar = std::make_shared<Grammar>(
          json_schema_grammar(OrderedJson::parse(data), {.limits = limits}));
    } else {
      grammar = std::make_shared<Grammar>(parse_gbnf(data, "fuzz", limits));
    }
    GrammarAutomaton automaton(grammar);
    auto state = automaton.start();
    HELIO_CHECK(state != GrammarAutomaton::kDead, "a grammar without a text was made");
    for (int step = 0; step < 64 && !automaton.at_end(state); ++step) {
      auto next = GrammarAutomaton::kDead;
      for (int i = 0; i < 256 && next == GrammarAutomaton::kDead; ++i)
        next = automaton.next(state, static_cast<uint8_t>(i * 7 + step * 31));
      HELIO_CHECK(next != GrammarAutomaton::kDead, "a dead end was reached");
      GrammarAutomaton other(grammar);
      const auto moved = other.adopt(automaton.save(next));
      HELIO_CHECK(other.complete(moved) == automaton.complete(next), "a saved state is another");
      state = next;
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) throw;
  }
}

}  // namespace helio::text::fuzz
