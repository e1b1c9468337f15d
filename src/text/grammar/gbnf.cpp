#include "text/grammar/gbnf.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr int kDepth = 100;             // of ( )
constexpr size_t kClassEntries = 2000;  // of one [ ]
constexpr int64_t kMostTimes = 1'000'000;

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

class GbnfParser {
 public:
  GbnfParser(std::string_view text, const std::string& source, GrammarLimits limits)
      : text_(text), source_(source), builder_(limits) {}

  Grammar parse() {
    space(Lines::pass);
    while (at_ < text_.size()) rule();
    const auto root = rules_.find("root");
    if (root == rules_.end() || !root->second.defined) fail("there is no rule 'root'");
    for (const auto& [name, known] : rules_)
      if (!known.defined) {
        at_ = known.used_at;
        fail("there is no rule '" + name + "'");
      }
    try {
      return builder_.build(root->second.symbol);
    } catch (Error& error) {
      throw error.add_context("reading the grammar " + source_);
    }
  }

 private:
  enum class Lines { pass, end };

  [[noreturn]] void fail(const std::string& what) const {
    const std::string_view before = text_.substr(0, at_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const size_t start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
    throw Error(ErrorKind::invalid,
                source_ + ":" + std::to_string(line) + ":" +
                    std::to_string(1 + count_code_points(before.substr(start))) + ": " + what);
  }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void space(Lines lines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#')
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && lines == Lines::pass)) ++at_;
      else return;
    }
  }

  std::string name() {
    const size_t begin = at_;
    while (is_name(peek())) ++at_;
    if (at_ == begin) fail("a rule's name is expected");
    return std::string(text_.substr(begin, at_ - begin));
  }

  struct Known {
    GrammarSymbol symbol = {};
    bool defined = false;
    size_t used_at = 0;
  };
  Known& known(const std::string& name) {
    const auto [rule, fresh] = rules_.try_emplace(name);
    if (fresh) rule->second = {.symbol = builder_.declare(name), .used_at = at_ - name.size()};
    return rule->second;
  }

  void rule() {
    const size_t begin = at_;
    const std::string called = name();
    space(Lines::end);
    if (text_.substr(at_, 3) != "::=") fail("'::=' is expected");
    at_ += 3;
    space(Lines::pass);
    if (known(called).defined) {
      at_ = begin;
      fail("the rule '" + called + "' is there twice");
    }
    auto parts = alternatives(0);
    if (at_ < text_.size() && peek() != '\n') fail("the end of the rule is expected");
    space(Lines::pass);
    Known& self = known(called);
    self.defined = true;
    builder_.define(self.symbol, std::move(parts));
  }

  // Whether another alternative follows, in this line or below it.
  bool bar(int depth) {
    const size_t begin = at_;
    space(Lines::pass);
    if (peek() == '|') {
      ++at_;
      space(Lines::pass);
      return true;
    }
    if (depth == 0) at_ = begin;
    return false;
  }

  std::vector<GrammarSequence> alternatives(int depth) {
    if (depth > kDepth) fail("groups are nested deeper than " + std::to_string(kDepth));
    std::vector<GrammarSequence> out;
    do out.push_back(sequence(depth));
    while (bar(depth));
    return out;
  }

  GrammarSequence sequence(int depth) {
    GrammarSequence out;
    while (true) {
      space(depth > 0 ? Lines::pass : Lines::end);
      GrammarSequence part;
      const char c = peek();
      if (c == '"') part = literal();
      else if (c == '[') part = builder_.characters(char_class());
      else if (c == '.') {
        ++at_;
        part = builder_.characters(CharClass::all());
      } else if (c == '(') {
        ++at_;
        part = builder_.any_of(alternatives(depth + 1));
        space(Lines::pass);
        if (peek() != ')') fail("')' is expected");
        ++at_;
      } else if (is_name(c)) {
        part = {known(name()).symbol};
      } else {
        return out;
      }
      part = repeated(std::move(part));
      out.insert(out.end(), part.begin(), part.end());
    }
  }

  GrammarSequence repeated(GrammarSequence part) {
    for (;; ++at_) {
      constexpr auto kNoLimit = GrammarBuilder::kNoLimit;
      switch (peek()) {
        case '?':
          part = builder_.repeat(part, 0, 1);
          break;
        case '*':
          part = builder_.repeat(part, 0, kNoLimit);
          break;
        case '+':
          part = builder_.repeat(part, 1, kNoLimit);
          break;
        case '{': {
          ++at_;
          const int64_t least = peek() == ',' ? 0 : times();
          int64_t most = least;
          if (peek() == ',') {
            ++at_;
            most = peek() == '}' ? kNoLimit : times();
          }
          if (peek() != '}') fail("'}' is expected");
          if (most != kNoLimit && most < least)
            fail("the repetition's bounds are the wrong way round");
          part = builder_.repeat(part, least, most);
          break;
        }
        default:
          return part;
      }
    }
  }

  int64_t times() {
    int64_t value = 0;
    const size_t begin = at_;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      value = value * 10 + (peek() - '0');
      if (value > kMostTimes) fail("more than " + std::to_string(kMostTimes) + " times");
    }
    if (at_ == begin) fail("a number is expected");
    return value;
  }

  char32_t character() {
    if (at_ >= text_.size() || peek() == '\n') fail("the line ends inside a text");
    if (peek() != '\\') {
      const CodePoint point = decode_utf8(text_, at_);
      if (point.status == Utf8::invalid) fail("this is no UTF-8");
      at_ += point.size;
      return point.value;
    }
    const char c = peek(1);
    at_ += 2;
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'x':
        return hex(2);
      case 'u':
        return hex(4);
      case 'U':
        return hex(8);
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
        return static_cast<uint8_t>(c);
      default:
        at_ -= 2;
        fail("an unknown escape");
    }
  }

  char32_t hex(int digits) {
    uint32_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char c = peek();
      if (c >= '0' && c <= '9') value = value * 16 + static_cast<uint32_t>(c - '0');
      else if (c >= 'a' && c <= 'f') value = value * 16 + static_cast<uint32_t>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F') value = value * 16 + static_cast<uint32_t>(c - 'A' + 10);
      else fail("a hexadecimal digit is expected");
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) fail("this is no character");
    return value;
  }

  GrammarSequence literal() {
    std::string bytes;
    for (++at_; peek() != '"';) append_utf8(bytes, character());
    ++at_;
    return builder_.literal(bytes);
  }

  CharClass char_class() {
    ++at_;
    const bool inverted = peek() == '^';
    if (inverted) ++at_;
    CharClass out;
    for (size_t entries = 0; peek() != ']'; ++entries) {
      if (entries == kClassEntries)
        fail("a class of more than " + std::to_string(kClassEntries) + " entries");
      const char32_t first = character();
      char32_t last = first;
      if (peek() == '-' && peek(1) != ']') {
        ++at_;
        last = character();
      }
      if (last < first) fail("the range ends before it begins");
      out.add(first, last);
    }
    ++at_;
    return inverted ? out.inverted() : out;
  }

  std::string_view text_;
  const std::string& source_;
  GrammarBuilder builder_;
  std::map<std::string, Known> rules_ = {};
  size_t at_ = 0;
};

}  // namespace

Grammar parse_gbnf(std::string_view text, const std::string& source, GrammarLimits limits) {
  return GbnfParser(text, source, limits).parse();
}

}  // namespace helio::text
