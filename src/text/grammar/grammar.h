// Context-free grammars over bytes, which what a model writes may be held to. Made from a JSON
// schema (json_schema.h) or a text (gbnf.h), walked by GrammarAutomaton (automaton.h).
#pragma once

#include <bitset>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helio::text {

using ByteSet = std::bitset<256>;

// One step of a rule: a byte of a set, or another rule.
struct GrammarSymbol {
  enum class Kind : uint8_t { bytes, rule } kind = Kind::bytes;
  int32_t index = 0;
  auto operator<=>(const GrammarSymbol&) const = default;
};
using GrammarSequence = std::vector<GrammarSymbol>;

// Ready to be walked: no left recursion, and every rule can come to an end. Immutable.
struct Grammar {
  // Alternatives end to end: a set of bytes as its index, a rule as -2 - its index, kEnd after
  // each.
  static constexpr int32_t kEnd = -1;
  std::vector<int32_t> elements = {};
  std::vector<std::vector<int32_t>> rules = {};  // of each rule where its alternatives begin
  std::vector<ByteSet> sets = {};
  int32_t root = 0;
};

struct GrammarLimits {
  size_t symbols = 1'000'000;  // in all rules
};

// Characters as ranges of code points, both ends included.
class CharClass {
 public:
  CharClass() = default;
  CharClass(std::initializer_list<std::pair<char32_t, char32_t>> ranges);
  static CharClass all();  // but surrogates, which UTF-8 does not have
  CharClass& add(char32_t first, char32_t last);
  CharClass& add(const CharClass& other);
  CharClass inverted() const;
  CharClass without(const CharClass& other) const;
  bool has(char32_t code) const;
  bool empty() const { return ranges_.empty(); }
  const std::vector<std::pair<char32_t, char32_t>>& ranges() const { return ranges_; }
  auto operator<=>(const CharClass&) const = default;

 private:
  std::vector<std::pair<char32_t, char32_t>> ranges_ = {};  // ascending, apart from each other
};

class GrammarBuilder {
 public:
  explicit GrammarBuilder(GrammarLimits limits = {}) : limits_(limits) {}

  // A rule to be defined later; `name` is for errors.
  GrammarSymbol declare(std::string name);
  void define(GrammarSymbol rule, std::vector<GrammarSequence> alternatives);

  static constexpr int64_t kNoLimit = -1;
  GrammarSequence literal(std::string_view bytes);
  GrammarSequence byte(const ByteSet& set);
  GrammarSequence characters(const CharClass& characters);  // one of them, in UTF-8
  GrammarSequence any_of(std::vector<GrammarSequence> alternatives);
  GrammarSequence optional(const GrammarSequence& part) { return repeat(part, 0, 1); }
  GrammarSequence repeat(const GrammarSequence& part, int64_t least, int64_t most);
  static GrammarSequence join(std::initializer_list<GrammarSequence> parts);

  // Error{invalid}: a rule that was never defined, left recursion, a root that never ends, too many
  // symbols (thrown by the calls above, too).
  Grammar build(GrammarSymbol root);

 private:
  struct Rule {
    std::string name = {};
    bool defined = false;
    std::vector<GrammarSequence> alternatives = {};
  };
  void count(size_t symbols);
  GrammarSymbol one_symbol(const GrammarSequence& part);
  enum class Text { any, empty };
  std::vector<bool> rules_that_end(Text text) const;
  void refuse_left_recursion() const;

  GrammarLimits limits_;
  size_t symbols_ = 0;
  std::vector<Rule> rules_ = {};
  std::vector<ByteSet> sets_ = {};
  std::map<std::string, int32_t> known_sets_ = {};
  std::map<CharClass, GrammarSequence> known_classes_ = {};
  std::map<GrammarSequence, GrammarSymbol> wrapped_ = {};
  std::map<std::pair<GrammarSymbol, int64_t>, GrammarSymbol> chains_ = {};  // up to so many, or any
};

}  // namespace helio::text
