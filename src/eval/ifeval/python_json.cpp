#include "eval/ifeval/python_json.h"

#include <cstddef>
#include <cstdint>

namespace helio::eval::ifeval {
namespace {

constexpr int kDeepest = 990;
constexpr size_t kDigits = 4300;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool whole() {
    space();
    if (!value(0)) return false;
    space();
    return at_ == text_.size();
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void space() {
    while (at_ < text_.size() &&
           std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  bool digit() const { return peek() >= '0' && peek() <= '9'; }

  bool value(int depth) {
    if (depth > kDeepest) return false;
    switch (peek()) {
      case '"':
        return string();
      case '{':
        return members(depth);
      case '[':
        return elements(depth);
      case 'n':
        return take("null");
      case 't':
        return take("true");
      case 'f':
        return take("false");
      case 'N':
        return take("NaN");
      case 'I':
        return take("Infinity");
      default:
        return take("-Infinity") || number();
    }
  }

  bool number() {
    take("-");
    const size_t begin = at_;
    if (peek() == '0') ++at_;
    else
      while (digit()) ++at_;
    if (at_ == begin) return false;
    const size_t digits = at_ - begin;
    bool whole = true;
    // A "." or "e" without digits after it is not part of the number (and so an error later).
    if (peek() == '.' && at_ + 1 < text_.size() && text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9') {
      whole = false;
      ++at_;
      while (digit()) ++at_;
    }
    if (peek() == 'e' || peek() == 'E') {
      const size_t mark = at_++;
      if (peek() == '+' || peek() == '-') ++at_;
      if (digit()) {
        whole = false;
        while (digit()) ++at_;
      } else {
        at_ = mark;
      }
    }
    return !whole || digits <= kDigits;
  }

  bool string() {
    ++at_;
    while (at_ < text_.size()) {
      const auto c = static_cast<uint8_t>(text_[at_++]);
      if (c == '"') return true;
      if (c < 0x20) return false;
      if (c != '\\') continue;
      const char next = peek();
      ++at_;
      if (next == 'u') {
        for (int i = 0; i < 4; ++i, ++at_)
          if (peek() == '\0' ||
              std::string_view("0123456789abcdefABCDEF").find(peek()) == std::string_view::npos)
            return false;
      } else if (next == '\0' ||
                 std::string_view("\"\\/bfnrt").find(next) == std::string_view::npos) {
        return false;
      }
    }
    return false;
  }

  bool members(int depth) {
    ++at_;
    space();
    if (take("}")) return true;
    while (true) {
      if (peek() != '"' || !string()) return false;
      space();
      if (!take(":")) return false;
      space();
      if (!value(depth + 1)) return false;
      space();
      if (take("}")) return true;
      if (!take(",")) return false;
      space();
    }
  }

  bool elements(int depth) {
    ++at_;
    space();
    if (take("]")) return true;
    while (true) {
      if (!value(depth + 1)) return false;
      space();
      if (take("]")) return true;
      if (!take(",")) return false;
      space();
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

bool python_json_accepts(std::string_view text) { return Reader(text).whole(); }

}  // namespace helio::eval::ifeval
