// The parts of JSON texts as rules of a grammar. White space is one space or one new line with an
// indent, so that a model cannot write it for ever; names and texts have no more escapes than
// needed where they must be equal to (or different from) something.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/grammar/grammar.h"

namespace helio::text {

class JsonRules {
 public:
  explicit JsonRules(GrammarBuilder& builder) : b_(builder) {}

  GrammarSequence space();
  GrammarSequence any_value();
  GrammarSequence any_object();
  GrammarSequence any_array();
  GrammarSequence any_string() { return string({}); }
  GrammarSequence integer();
  GrammarSequence number();
  GrammarSequence boolean();
  GrammarSequence literal(const OrderedJson& value);

  struct Length {
    int64_t least = 0, most = GrammarBuilder::kNoLimit;  // in characters
  };
  GrammarSequence string(Length length);
  // A text that an ECMA-262 regular expression finds something in; classes as \w are ASCII.
  // Error{invalid} for what no grammar can say (look-around, back references).
  GrammarSequence matching(std::string_view pattern);
  // Any member's name but these.
  GrammarSequence other_name(const std::vector<std::string>& names);
  // One character of these inside a string, written as it must be.
  GrammarSequence encoded(const CharClass& characters);

  // Both bounds included; Error{invalid} when there is nothing between them.
  GrammarSequence integer_between(std::optional<int64_t> low, std::optional<int64_t> high);
  struct Bound {
    int64_t value = 0;
    bool included = true;
  };
  // Numbers without an exponent.
  GrammarSequence number_between(std::optional<Bound> low, std::optional<Bound> high);

  // "," and a space before each of `parts` but the first is the caller's; this is the comma.
  GrammarSequence comma() { return GrammarBuilder::join({b_.literal(","), space()}); }
  // [ and ] around `inside`, { and } alike.
  GrammarSequence enclosed(char open, const GrammarSequence& inside, char close);

 private:
  GrammarSequence digits(char first, char last);
  GrammarSequence whole_between(uint64_t low, std::optional<uint64_t> high);
  GrammarSequence same_length(std::string_view low, std::string_view high);
  GrammarSequence magnitude(const Bound& low, const std::optional<Bound>& high);

  GrammarBuilder& b_;
  std::map<std::string, GrammarSequence> known_ = {};
  std::optional<GrammarSymbol> value_ = {};
  template <class Make>
  GrammarSequence once(const std::string& name, Make make) {
    const auto known = known_.find(name);
    if (known != known_.end()) return known->second;
    const GrammarSequence made = make();
    known_.emplace(name, made);
    return made;
  }
};

}  // namespace helio::text
