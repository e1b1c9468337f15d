// "pattern": a regular expression (ECMA-262, with u) as rules for the text of a JSON string.
#include "core/error.h"
#include "text/grammar/json_rules.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr auto kNoLimit = GrammarBuilder::kNoLimit;
constexpr int kDepth = 100;
constexpr int64_t kMostTimes = 100'000;

const CharClass kDigits = {{'0', '9'}};
const CharClass kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const CharClass kSpace = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                          {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                          {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
const CharClass kLineEnds = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

class PatternParser {
 public:
  PatternParser(std::string_view pattern, GrammarBuilder& builder, JsonRules& rules)
      : text_(to_code_points(pattern)), b_(builder), rules_(rules) {}

  GrammarSequence parse() {
    std::vector<GrammarSequence> parts;
    do {
      const bool begins = take('^');
      ends_ = false;
      auto inside = sequence(0);
      const auto any = [&] { return b_.repeat(rules_.encoded(CharClass::all()), 0, kNoLimit); };
      parts.push_back(GrammarBuilder::join(
          {begins ? GrammarSequence{} : any(), inside, ends_ ? GrammarSequence{} : any()}));
    } while (take('|'));
    if (at_ < text_.size()) fail("')' without '('");
    return b_.any_of(std::move(parts));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::invalid,
                "the pattern at character " + std::to_string(at_ + 1) + ": " + what);
  }
  bool more() const { return at_ < text_.size(); }
  char32_t peek() const { return more() ? text_[at_] : 0; }
  bool take(char32_t code) {
    if (!more() || text_[at_] != code) return false;
    ++at_;
    return true;
  }

  GrammarSequence sequence(int depth) {
    if (depth > kDepth) fail("groups are nested too deep");
    GrammarSequence out;
    while (more() && peek() != '|' && peek() != ')') {
      if (depth == 0 && peek() == '$' && (at_ + 1 == text_.size() || text_[at_ + 1] == '|')) {
        ++at_;
        ends_ = true;
        break;
      }
      auto part = repeated(atom(depth));
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }

  GrammarSequence atom(int depth) {
    if (take('(')) {
      if (take('?')) {
        if (take('<')) {
          if (peek() == '=' || peek() == '!') fail("no grammar can look behind");
          while (more() && !take('>')) ++at_;
        } else if (!take(':')) {
          fail("no grammar can look ahead");
        }
      }
      std::vector<GrammarSequence> parts;
      do parts.push_back(sequence(depth + 1));
      while (take('|'));
      if (!take(')')) fail("')' is missing");
      return b_.any_of(std::move(parts));
    }
    if (take('[')) return rules_.encoded(char_class());
    if (take('.')) return rules_.encoded(kLineEnds.inverted());
    if (peek() == '^' || peek() == '$') fail("an anchor that is not at the pattern's begin or end");
    if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{') fail("nothing to repeat");
    return rules_.encoded(one());
  }

  GrammarSequence repeated(GrammarSequence part) {
    int64_t least = 1, most = 1;
    if (take('*')) least = 0, most = kNoLimit;
    else if (take('+')) most = kNoLimit;
    else if (take('?')) least = 0;
    else if (take('{')) {
      least = most = times();
      if (take(',')) most = peek() == '}' ? kNoLimit : times();
      if (!take('}')) fail("'}' is expected");
      if (most != kNoLimit && most < least) fail("the repetition's bounds are the wrong way round");
    } else {
      return part;
    }
    take('?');  // which of several readings is found does not matter here
    return b_.repeat(part, least, most);
  }

  int64_t times() {
    int64_t value = 0;
    const size_t begin = at_;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      value = value * 10 + static_cast<int64_t>(peek() - '0');
      if (value > kMostTimes) fail("too many repetitions");
    }
    if (at_ == begin) fail("a number is expected");
    return value;
  }

  // A character or a class by its escape.
  CharClass one() {
    if (!more()) fail("it ends too soon");
    const char32_t code = text_[at_++];
    if (code != '\\') return {{code, code}};
    if (!more()) fail("it ends in '\\'");
    const char32_t escape = text_[at_++];
    const auto single = [](char32_t c) { return CharClass{{c, c}}; };
    switch (escape) {
      case 'd':
        return kDigits;
      case 'D':
        return kDigits.inverted();
      case 'w':
        return kWord;
      case 'W':
        return kWord.inverted();
      case 's':
        return kSpace;
      case 'S':
        return kSpace.inverted();
      case 'n':
        return single('\n');
      case 'r':
        return single('\r');
      case 't':
        return single('\t');
      case 'f':
        return single('\f');
      case 'v':
        return single('\v');
      case '0':
        return single(0);
      case 'x':
        return single(hex(2));
      case 'u':
        return single(hex(4));
      default:
        break;
    }
    const bool word = escape < 0x80 && kWord.has(escape);
    if (word) fail(std::string("the escape \\") + static_cast<char>(escape) + " is not supported");
    return single(escape);
  }

  char32_t hex(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char32_t c = peek();
      if (c >= '0' && c <= '9') value = value * 16 + (c - '0');
      else if ((c | 32) >= 'a' && (c | 32) <= 'f') value = value * 16 + ((c | 32) - 'a' + 10);
      else fail("a hexadecimal digit is expected");
    }
    return value;
  }

  CharClass char_class() {
    const bool inverted = take('^');
    CharClass out;
    for (int entries = 0; !take(']'); ++entries) {
      if (!more()) fail("']' is missing");
      if (entries == 2000) fail("a class of more than 2000 entries");
      if (peek() == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == 'b') {
        at_ += 2;
        out.add('\b', '\b');
        continue;
      }
      const CharClass first = one();
      const bool range = peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
      if (!range) {
        out.add(first);
        continue;
      }
      ++at_;
      const CharClass last = one();
      const auto is_one = [](const CharClass& c) {
        return c.ranges().size() == 1 && c.ranges()[0].first == c.ranges()[0].second;
      };
      if (!is_one(first) || !is_one(last)) fail("a range of a class");
      const char32_t low = first.ranges()[0].first, high = last.ranges()[0].first;
      if (high < low) fail("the range ends before it begins");
      out.add(low, high);
    }
    return inverted ? out.inverted() : out;
  }

  std::u32string text_;
  size_t at_ = 0;
  bool ends_ = false;
  GrammarBuilder& b_;
  JsonRules& rules_;
};

}  // namespace

GrammarSequence JsonRules::matching(std::string_view pattern) {
  return GrammarBuilder::join(
      {b_.literal("\""), PatternParser(pattern, b_, *this).parse(), b_.literal("\"")});
}

}  // namespace helio::text
