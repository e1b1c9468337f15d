#include "text/grammar/json_rules.h"

#include <algorithm>

#include "core/error.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr auto kNoLimit = GrammarBuilder::kNoLimit;
constexpr int64_t kIndent = 64;
constexpr int64_t kLongestName = 500;

using Parts = std::vector<GrammarSequence>;
constexpr auto join = GrammarBuilder::join;

}  // namespace

GrammarSequence JsonRules::digits(char first, char last) {
  ByteSet set;
  for (int byte = first; byte <= last; ++byte) set.set(static_cast<size_t>(byte));
  return b_.byte(set);
}

GrammarSequence JsonRules::space() {
  return once("space", [&] {
    const auto indent = b_.repeat(b_.any_of({b_.literal(" "), b_.literal("\t")}), 0, kIndent);
    return b_.any_of({{}, b_.literal(" "), join({b_.literal("\n"), indent})});
  });
}

GrammarSequence JsonRules::enclosed(char open, const GrammarSequence& inside, char close) {
  return join({b_.literal({&open, 1}), space(), inside, space(), b_.literal({&close, 1})});
}

GrammarSequence JsonRules::any_value() {
  if (!value_) {
    value_ = b_.declare("value");
    b_.define(*value_,
              {any_object(), any_array(), any_string(), number(), boolean(), b_.literal("null")});
  }
  return {*value_};
}

GrammarSequence JsonRules::any_object() {
  return once("object", [&] {
    const GrammarSymbol rule = b_.declare("object");
    known_["object"] = {rule};  // values have objects
    const auto member = join({any_string(), b_.literal(":"), space(), any_value()});
    const auto more = b_.repeat(join({comma(), member}), 0, kNoLimit);
    b_.define(rule, {b_.literal("{}"), enclosed('{', join({member, more}), '}')});
    return GrammarSequence{rule};
  });
}

GrammarSequence JsonRules::any_array() {
  return once("array", [&] {
    const GrammarSymbol rule = b_.declare("array");
    known_["array"] = {rule};
    const auto more = b_.repeat(join({comma(), any_value()}), 0, kNoLimit);
    b_.define(rule, {b_.literal("[]"), enclosed('[', join({any_value(), more}), ']')});
    return GrammarSequence{rule};
  });
}

GrammarSequence JsonRules::integer() {
  return once("integer", [&] {
    const auto more = b_.repeat(digits('0', '9'), 0, kNoLimit);
    return join({b_.optional(b_.literal("-")),
                 b_.any_of({b_.literal("0"), join({digits('1', '9'), more})})});
  });
}

GrammarSequence JsonRules::number() {
  return once("number", [&] {
    const auto some = b_.repeat(digits('0', '9'), 1, kNoLimit);
    const auto sign = b_.optional(b_.any_of({b_.literal("+"), b_.literal("-")}));
    const auto exponent = join(
        {b_.any_of({b_.literal("e"), b_.literal("E")}), sign, b_.repeat(digits('0', '9'), 1, 3)});
    return join({integer(), b_.optional(join({b_.literal("."), some})), b_.optional(exponent)});
  });
}

GrammarSequence JsonRules::boolean() {
  return once("boolean", [&] { return b_.any_of({b_.literal("true"), b_.literal("false")}); });
}

GrammarSequence JsonRules::string(Length length) {
  const auto character = once("character", [&] {
    const auto hex = b_.any_of({digits('0', '9'), digits('a', 'f'), digits('A', 'F')});
    const auto one_of = [&](std::string_view bytes) {
      ByteSet set;
      for (const char byte : bytes) set.set(static_cast<uint8_t>(byte));
      return b_.byte(set);
    };
    const auto code = b_.any_of({join({one_of("0123456789abcefABCEF"), hex, hex, hex}),
                                 join({one_of("dD"), one_of("01234567"), hex, hex}),
                                 // A pair of surrogates is one character.
                                 join({one_of("dD"), one_of("89abAB"), hex, hex, b_.literal("\\u"),
                                       one_of("dD"), one_of("cdefCDEF"), hex, hex})});
    CharClass plain = CharClass::all().without({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}});
    return b_.any_of({b_.characters(plain), join({b_.literal("\\"), one_of("\"\\/bfnrt")}),
                      join({b_.literal("\\u"), code})});
  });
  return join(
      {b_.literal("\""), b_.repeat(character, length.least, length.most), b_.literal("\"")});
}

GrammarSequence JsonRules::encoded(const CharClass& characters) {
  Parts parts;
  const auto plain = characters.without({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}});
  if (!plain.empty()) parts.push_back(b_.characters(plain));
  static constexpr std::pair<char32_t, const char*> kShort[] = {
      {'"', "\\\""}, {'\\', "\\\\"}, {'\b', "\\b"}, {'\f', "\\f"},
      {'\n', "\\n"}, {'\r', "\\r"},  {'\t', "\\t"}};
  for (const auto& [code, written] : kShort)
    if (characters.has(code)) parts.push_back(b_.literal(written));
  for (char32_t code = 0; code < 0x20; ++code) {
    if (!characters.has(code) || code == '\b' || code == '\f' || code == '\n' || code == '\r' ||
        code == '\t')
      continue;
    const char* const hex = "0123456789abcdef";
    parts.push_back(b_.literal(std::string("\\u00") + hex[code >> 4] + hex[code & 15]));
  }
  return b_.any_of(std::move(parts));
}

GrammarSequence JsonRules::literal(const OrderedJson& value) {
  if (!value.is_structured()) return b_.literal(compact(value));
  if (value.empty()) return b_.literal(compact(value));
  GrammarSequence inside;
  for (const auto& [name, item] : value.items()) {
    if (!inside.empty()) inside = join({inside, comma()});
    if (value.is_object())
      inside = join({inside, b_.literal(compact(OrderedJson(name)) + ":"), space()});
    inside = join({inside, literal(item)});
  }
  return value.is_object() ? enclosed('{', inside, '}') : enclosed('[', inside, ']');
}

namespace {

struct NameNode {
  std::map<char32_t, NameNode> next = {};
  bool ends = false;
};

}  // namespace

GrammarSequence JsonRules::other_name(const std::vector<std::string>& names) {
  NameNode root;
  for (const auto& name : names) {
    if (count_code_points(name) > kLongestName)
      throw Error(ErrorKind::invalid,
                  "a member's name has more than " + std::to_string(kLongestName) + " characters");
    NameNode* node = &root;
    for (const char32_t code : to_code_points(name)) node = &node->next[code];
    node->ends = true;
  }
  const auto any = once("encoded", [&] { return encoded(CharClass::all()); });
  const auto rest = join({b_.repeat(any, 0, kNoLimit), b_.literal("\"")});
  const auto rule_of = [&](const auto& self, const NameNode& node) -> GrammarSequence {
    Parts parts;
    CharClass taken;
    for (const auto& [code, below] : node.next) {
      parts.push_back(join({encoded({{code, code}}), self(self, below)}));
      taken.add(code, code);
    }
    parts.push_back(taken.empty() ? join({any, rest}) : join({encoded(taken.inverted()), rest}));
    if (!node.ends) parts.push_back(b_.literal("\""));
    return b_.any_of(std::move(parts));
  };
  return join({b_.literal("\""), rule_of(rule_of, root)});
}

// --- numbers
// ---------------------------------------------------------------------------------------

// Numbers of as many digits as both bounds have: O(digits) parts, since beside the bounds' own
// beginnings one side is all 0 or all 9.
GrammarSequence JsonRules::same_length(std::string_view low, std::string_view high) {
  if (low.empty()) return {};
  if (low.find_first_not_of('0') == low.npos && high.find_first_not_of('9') == high.npos) {
    const auto size = static_cast<int64_t>(low.size());
    return b_.repeat(digits('0', '9'), size, size);
  }
  const auto rest = static_cast<int64_t>(low.size()) - 1;
  if (low[0] == high[0])
    return join({b_.literal(low.substr(0, 1)), same_length(low.substr(1), high.substr(1))});
  const std::string nines(low.size() - 1, '9'), zeros(low.size() - 1, '0');
  Parts parts = {join({b_.literal(low.substr(0, 1)), same_length(low.substr(1), nines)}),
                 join({b_.literal(high.substr(0, 1)), same_length(zeros, high.substr(1))})};
  if (high[0] - low[0] > 1)
    parts.push_back(join({digits(static_cast<char>(low[0] + 1), static_cast<char>(high[0] - 1)),
                          b_.repeat(digits('0', '9'), rest, rest)}));
  return b_.any_of(std::move(parts));
}

GrammarSequence JsonRules::whole_between(uint64_t low, std::optional<uint64_t> high) {
  Parts parts;
  const std::string first = std::to_string(low), last = high ? std::to_string(*high) : first;
  for (size_t size = first.size(); size <= last.size(); ++size) {
    std::string from(size, '0'), to(size, '9');
    if (size > 1) from[0] = '1';
    if (size == first.size()) from = first;
    if (high && size == last.size()) to = last;
    parts.push_back(same_length(from, to));
  }
  if (!high)
    parts.push_back(
        join({digits('1', '9'),
              b_.repeat(digits('0', '9'), static_cast<int64_t>(first.size()), kNoLimit)}));
  return b_.any_of(std::move(parts));
}

GrammarSequence JsonRules::integer_between(std::optional<int64_t> low,
                                           std::optional<int64_t> high) {
  if (low && high && *low > *high)
    throw Error(ErrorKind::invalid, "there is no integer between the bounds");
  const auto size = [](int64_t value) { return uint64_t(0) - static_cast<uint64_t>(value); };
  Parts parts;
  if (!high || *high >= 0)
    parts.push_back(
        whole_between(low && *low > 0 ? static_cast<uint64_t>(*low) : 0,
                      high ? std::optional(static_cast<uint64_t>(*high)) : std::nullopt));
  if (!low || *low < 0)
    parts.push_back(
        join({b_.literal("-"), whole_between(high && *high < 0 ? size(*high) : 1,
                                             low ? std::optional(size(*low)) : std::nullopt)}));
  return b_.any_of(std::move(parts));
}

// Numbers from low on (not below 0), as digits and a fraction. Beside an excluded bound fractions
// are short, so that rounding to a double does not reach it.
GrammarSequence JsonRules::magnitude(const Bound& low, const std::optional<Bound>& high) {
  const bool excludes = !low.included || (high && !high->included);
  const size_t whole = high ? std::to_string(high->value).size() : 6;
  const int64_t longest =
      excludes ? std::max<int64_t>(1, 15 - static_cast<int64_t>(whole)) : kNoLimit;
  const auto any = digits('0', '9');
  const auto fraction = b_.optional(join({b_.literal("."), b_.repeat(any, 1, longest)}));
  const auto zeros = b_.optional(join({b_.literal("."), b_.repeat(b_.literal("0"), 1, longest)}));
  const auto number_at = [](int64_t value) { return static_cast<uint64_t>(value); };
  Parts parts;
  int64_t from = low.value;
  if (!low.included && (!high || low.value < high->value)) {
    const int64_t before = longest == kNoLimit ? 0 : longest - 1;
    parts.push_back(join({b_.literal(std::to_string(low.value)), b_.literal("."),
                          b_.repeat(b_.literal("0"), 0, before), digits('1', '9')}));
    if (longest > 2) {  // further digits behind the first that is not 0
      parts.push_back(join({b_.literal(std::to_string(low.value)), b_.literal("."),
                            b_.repeat(b_.literal("0"), 0, longest / 2), digits('1', '9'),
                            b_.repeat(any, 0, longest / 2 - 1)}));
    }
    from = low.value + 1;
  }
  if (!high) {
    parts.push_back(join({whole_between(number_at(from), std::nullopt), fraction}));
  } else {
    if (from <= high->value - 1)
      parts.push_back(join({whole_between(number_at(from), number_at(high->value - 1)), fraction}));
    if (high->included && from <= high->value)
      parts.push_back(join({b_.literal(std::to_string(high->value)), zeros}));
  }
  return b_.any_of(std::move(parts));  // of nothing: impossible, and left out
}

GrammarSequence JsonRules::number_between(std::optional<Bound> low, std::optional<Bound> high) {
  const bool none = low && high &&
                    (low->value > high->value ||
                     (low->value == high->value && !(low->included && high->included)));
  if (none) throw Error(ErrorKind::invalid, "there is no number between the bounds");
  if (!low && !high) return number();
  const auto mirrored = [](const Bound& bound) {
    return Bound{.value = -bound.value, .included = bound.included};
  };
  Parts parts;
  if (!high || high->value > 0 || (high->value == 0 && high->included))
    parts.push_back(magnitude(low && low->value >= 0 ? *low : Bound{}, high));
  if (!low || low->value < 0) {
    std::optional<Bound> largest;
    if (low) largest = mirrored(*low);
    parts.push_back(
        join({b_.literal("-"),
              magnitude(high && high->value <= 0 ? mirrored(*high) : Bound{}, largest)}));
  }
  return b_.any_of(std::move(parts));
}

}  // namespace helio::text
