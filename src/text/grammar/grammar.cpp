#include "text/grammar/grammar.h"

#include <algorithm>

#include "core/error.h"

namespace helio::text {
namespace {

using Kind = GrammarSymbol::Kind;

size_t at(int32_t index) { return static_cast<size_t>(index); }

}  // namespace

void GrammarBuilder::count(size_t symbols) {
  symbols_ += symbols;
  if (symbols_ > limits_.symbols)
    throw Error(ErrorKind::invalid,
                "the grammar has more than " + std::to_string(limits_.symbols) + " symbols")
        .with_hint("lower maxLength, maxItems or {m,n}, or leave them out");
}

GrammarSymbol GrammarBuilder::declare(std::string name) {
  count(1);
  rules_.push_back({.name = std::move(name)});
  return {Kind::rule, static_cast<int32_t>(rules_.size() - 1)};
}

void GrammarBuilder::define(GrammarSymbol rule, std::vector<GrammarSequence> alternatives) {
  Rule& defined = rules_[at(rule.index)];
  HELIO_CHECK(rule.kind == Kind::rule && !defined.defined, "a rule is defined once");
  for (const auto& sequence : alternatives) count(sequence.size() + 1);
  defined.alternatives = std::move(alternatives);
  defined.defined = true;
}

GrammarSequence GrammarBuilder::byte(const ByteSet& set) {
  const auto [known, fresh] =
      known_sets_.try_emplace(set.to_string(), static_cast<int32_t>(sets_.size()));
  if (fresh) sets_.push_back(set);
  return {{Kind::bytes, known->second}};
}

GrammarSequence GrammarBuilder::literal(std::string_view bytes) {
  GrammarSequence out;
  for (const char one : bytes)
    out.push_back(byte(ByteSet().set(static_cast<uint8_t>(one))).front());
  return out;
}

GrammarSequence GrammarBuilder::any_of(std::vector<GrammarSequence> alternatives) {
  if (alternatives.size() == 1) return std::move(alternatives.front());
  const GrammarSymbol rule = declare("");
  define(rule, std::move(alternatives));
  return {rule};
}

GrammarSymbol GrammarBuilder::one_symbol(const GrammarSequence& part) {
  if (part.size() == 1) return part.front();
  const auto known = wrapped_.find(part);
  if (known != wrapped_.end()) return known->second;
  const GrammarSymbol rule = declare("");
  define(rule, {part});
  wrapped_.emplace(part, rule);
  return rule;
}

// most = least + k: the part so many times, then a chain of k rules each of which may end. Equal
// parts share one chain, however many lengths are asked for.
GrammarSequence GrammarBuilder::repeat(const GrammarSequence& part, int64_t least, int64_t most) {
  if (part.empty() || most == 0) return {};
  const GrammarSymbol symbol = one_symbol(part);
  count(static_cast<size_t>(least));
  GrammarSequence out(static_cast<size_t>(least), symbol);
  if (most == kNoLimit) {
    const auto [known, fresh] = chains_.try_emplace({symbol, kNoLimit});
    if (fresh) {
      const GrammarSymbol rule = declare("");
      known->second = rule;
      define(rule, {{symbol, rule}, {}});
    }
    out.push_back(known->second);
    return out;
  }
  HELIO_CHECK(least <= most, "a repetition's bounds");
  if (static_cast<size_t>(most - least) > limits_.symbols) count(limits_.symbols + 1);
  GrammarSymbol before = {};
  for (int64_t length = 1; length <= most - least; ++length) {
    const auto [known, fresh] = chains_.try_emplace({symbol, length});
    if (fresh) {
      known->second = declare("");
      GrammarSequence longer = {symbol};
      if (length > 1) longer.push_back(before);
      define(known->second, {longer, {}});
    }
    before = known->second;
  }
  if (most > least) out.push_back(before);
  return out;
}

GrammarSequence GrammarBuilder::join(std::initializer_list<GrammarSequence> parts) {
  GrammarSequence out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// Rules from which some finite text comes, or only the empty one.
std::vector<bool> GrammarBuilder::rules_that_end(Text text) const {
  std::vector<std::vector<std::pair<size_t, size_t>>> users(rules_.size());
  std::vector<std::vector<size_t>> missing(rules_.size());
  std::vector<bool> ends(rules_.size(), false);
  std::vector<size_t> found;
  const auto mark = [&](size_t rule) {
    if (ends[rule]) return;
    ends[rule] = true;
    found.push_back(rule);
  };
  for (size_t r = 0; r < rules_.size(); ++r) {
    for (size_t a = 0; a < rules_[r].alternatives.size(); ++a) {
      size_t rules = 0;
      bool possible = true;
      for (const auto symbol : rules_[r].alternatives[a]) {
        if (symbol.kind == Kind::bytes) {
          possible = possible && text == Text::any && sets_[at(symbol.index)].any();
          continue;
        }
        ++rules;
        users[at(symbol.index)].emplace_back(r, a);
      }
      missing[r].push_back(possible ? rules : SIZE_MAX);
      if (possible && rules == 0) mark(r);
    }
  }
  while (!found.empty()) {
    const size_t rule = found.back();
    found.pop_back();
    for (const auto& [r, a] : users[rule])
      if (missing[r][a] != SIZE_MAX && --missing[r][a] == 0) mark(r);
  }
  return ends;
}

// A rule that comes back to itself before any byte, with something behind it: its stack would grow
// for ever. Strongly connected parts of "may begin with" (Tarjan 1972), without recursion.
void GrammarBuilder::refuse_left_recursion() const {
  struct Edge {
    size_t to;
    bool grows;
  };
  const std::vector<bool> empty = rules_that_end(Text::empty);
  std::vector<std::vector<Edge>> edges(rules_.size());
  for (size_t r = 0; r < rules_.size(); ++r)
    for (const auto& sequence : rules_[r].alternatives)
      for (size_t i = 0; i < sequence.size() && sequence[i].kind == Kind::rule; ++i) {
        edges[r].push_back({at(sequence[i].index), i + 1 < sequence.size()});
        if (!empty[at(sequence[i].index)]) break;
      }
  constexpr size_t kNone = SIZE_MAX;
  std::vector<size_t> order(rules_.size(), kNone), low(rules_.size(), 0),
      part(rules_.size(), kNone);
  std::vector<size_t> open;
  size_t next = 0, parts = 0;
  struct Visit {
    size_t rule, edge;
  };
  for (size_t start = 0; start < rules_.size(); ++start) {
    if (order[start] != kNone) continue;
    std::vector<Visit> stack = {{start, 0}};
    while (!stack.empty()) {
      auto& [rule, edge] = stack.back();
      if (edge == 0) {
        order[rule] = low[rule] = next++;
        open.push_back(rule);
      }
      if (edge < edges[rule].size()) {
        const size_t to = edges[rule][edge++].to;
        if (order[to] == kNone) stack.push_back({to, 0});
        else if (part[to] == kNone) low[rule] = std::min(low[rule], order[to]);
        continue;
      }
      const size_t done = rule;
      if (low[done] == order[done]) {
        size_t member = kNone;
        do {
          member = open.back();
          open.pop_back();
          part[member] = parts;
        } while (member != done);
        ++parts;
      }
      stack.pop_back();
      if (!stack.empty()) low[stack.back().rule] = std::min(low[stack.back().rule], low[done]);
    }
  }
  for (size_t r = 0; r < rules_.size(); ++r)
    for (const auto& edge : edges[r])
      if (edge.grows && part[r] == part[edge.to])
        throw Error(ErrorKind::invalid,
                    "the grammar's rule '" + rules_[r].name + "' begins with itself")
            .with_hint("write the repetition at the end: list ::= item list | item");
}

Grammar GrammarBuilder::build(GrammarSymbol root) {
  for (const auto& rule : rules_)
    if (!rule.defined)
      throw Error(ErrorKind::invalid, "the grammar has no rule '" + rule.name + "'");
  const auto ends = rules_that_end(Text::any);
  if (!ends[at(root.index)])
    throw Error(ErrorKind::invalid, "nothing that ends can be written: '" +
                                        rules_[at(root.index)].name +
                                        "' needs itself or the impossible");
  for (auto& rule : rules_)
    std::erase_if(rule.alternatives, [&](const GrammarSequence& sequence) {
      return std::any_of(sequence.begin(), sequence.end(), [&](GrammarSymbol s) {
        return s.kind == Kind::rule ? !ends[at(s.index)] : sets_[at(s.index)].none();
      });
    });
  refuse_left_recursion();
  Grammar out{.sets = sets_, .root = root.index};
  for (const auto& rule : rules_) {
    auto& starts = out.rules.emplace_back();
    for (const auto& sequence : rule.alternatives) {
      starts.push_back(static_cast<int32_t>(out.elements.size()));
      for (const auto symbol : sequence)
        out.elements.push_back(symbol.kind == Kind::bytes ? symbol.index : -2 - symbol.index);
      out.elements.push_back(Grammar::kEnd);
    }
  }
  return out;
}

}  // namespace helio::text
