#include "text/jinja/lexer.h"

#include <charconv>

#include "text/jinja/unicode_text.h"
#include "text/unicode.h"

namespace helio::text::jinja {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  Lexer(const Source& source, const Whitespace& whitespace)
      : source_(source), text_(source.text()), whitespace_(whitespace) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) root();
    push(TokenKind::end, text_.size());
    return std::move(tokens_);
  }

 private:
  void push(TokenKind kind, size_t at, std::string text = {}) {
    tokens_.push_back({.kind = kind, .at = at, .text = std::move(text)});
  }
  bool starts(std::string_view what, size_t at) const {
    return text_.substr(at, what.size()) == what;
  }
  size_t skip_space(size_t at) const {
    while (at < text_.size()) {
      const auto point = decode_utf8(text_, at);
      if (!is_python_space(point.value)) break;
      at += point.size;
    }
    return at;
  }
  bool is_space_only(std::string_view text) const { return !text.empty() && trim(text).empty(); }

  // The text before a tag, without what whitespace control takes from its end.
  void push_data(size_t begin, size_t end, char sign, bool block) {
    std::string_view data = text_.substr(begin, end - begin);
    if (sign == '-') {
      while (!data.empty()) {  // as Python's rstrip()
        size_t last = data.size() - 1;
        while (last > 0 && (static_cast<uint8_t>(data[last]) & 0xC0) == 0x80) --last;
        if (!is_python_space(decode_utf8(data, last).value)) break;
        data = data.substr(0, last);
      }
    } else if (sign != '+' && whitespace_.lstrip_blocks && block) {
      const size_t newline = data.rfind('\n');
      const size_t line = newline == data.npos ? 0 : newline + 1;
      if ((line > 0 || line_starting_) && is_space_only(data.substr(line)))
        data = data.substr(0, line);
    }
    if (!data.empty()) push(TokenKind::data, begin, std::string(data));
  }

  char sign_at(size_t at) const {
    return at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at] : '\0';
  }

  void root() {
    size_t tag = at_;
    while (true) {
      tag = text_.find('{', tag);
      if (tag == text_.npos || tag + 1 >= text_.size()) {
        push(TokenKind::data, at_, std::string(text_.substr(at_)));
        at_ = text_.size();
        return;
      }
      if (text_[tag + 1] == '%' || text_[tag + 1] == '{' || text_[tag + 1] == '#') break;
      ++tag;
    }
    const char kind = text_[tag + 1], sign = sign_at(tag + 2);
    push_data(at_, tag, sign, kind != '{');
    at_ = tag + 2 + (sign ? 1 : 0);
    line_starting_ = false;
    if (kind == '#') comment(tag);
    else if (kind == '{') {
      push(TokenKind::variable_begin, tag);
      inside(tag, TokenKind::variable_end);
    } else if (const size_t body = raw_body()) raw(tag, body);
    else {
      push(TokenKind::block_begin, tag);
      inside(tag, TokenKind::block_end);
    }
  }

  // After a tag's end: where the text goes on.
  size_t after_end(size_t at, char sign, bool block) {
    if (sign == '-') at = skip_space(at);
    else if (!sign && block && whitespace_.trim_blocks && at < text_.size() && text_[at] == '\n')
      ++at;
    return at;
  }

  void comment(size_t tag) {
    const size_t close = text_.find("#}", at_);
    if (close == text_.npos) throw source_.error(tag, "missing end of comment: '#}'");
    const char sign = close > at_ ? sign_at(close - 1) : '\0';
    end_tag(close + 2, sign, true);
  }

  void end_tag(size_t at, char sign, bool block) {
    at_ = after_end(at, sign, block);
    line_starting_ = at_ > 0 && text_[at_ - 1] == '\n';
  }

  // Where the text of {% raw %} begins; 0: it is another block.
  size_t raw_body() {
    size_t at = skip_space(at_);
    if (!starts("raw", at)) return 0;
    at = skip_space(at + 3);
    if (starts("-%}", at)) return skip_space(at + 3);
    return starts("%}", at) ? at + 2 : 0;
  }

  void raw(size_t tag, size_t body) {
    line_starting_ = text_[body - 1] == '\n';
    for (size_t at = text_.find("{%", body); at != text_.npos; at = text_.find("{%", at + 1)) {
      const char sign = sign_at(at + 2);
      // A sign may also be missing: "{%-" with the '-' as part of nothing else.
      size_t word = skip_space(at + 2 + (sign ? 1 : 0));
      if (!starts("endraw", word)) continue;
      word = skip_space(word + 6);
      const char end_sign = sign_at(word);
      const size_t close = word + (end_sign ? 1 : 0);
      if (!starts("%}", close)) continue;
      push_data(body, at, sign, true);
      end_tag(close + 2, end_sign, true);
      return;
    }
    throw source_.error(tag, "missing end of raw directive: '{% endraw %}'");
  }

  bool ends_here(TokenKind end) {
    if (!open_.empty()) return false;
    const bool block = end == TokenKind::block_end;
    const std::string_view close = block ? "%}" : "}}";
    char sign = sign_at(at_);
    if (sign == '+' && !block) return false;
    const size_t at = at_ + (sign ? 1 : 0);
    if (!starts(close, at)) return false;
    push(end, at_);
    end_tag(at + 2, sign, block);
    return true;
  }

  void inside(size_t tag, TokenKind end) {
    open_.clear();
    while (at_ < text_.size()) {
      if (ends_here(end)) return;
      const size_t next = skip_space(at_);
      if (next != at_) at_ = next;
      else if (!number() && !name() && !string()) op();
    }
    throw source_.error(tag, std::string("the tag is not closed: '") +
                                 (end == TokenKind::block_end ? "%}" : "}}") + "' is missing");
  }

  // Digits with single underscores between; the place after them, or `at`.
  size_t digits(size_t at) const {
    size_t end = at;
    while (end < text_.size() &&
           (is_digit(text_[end]) || (text_[end] == '_' && end > at && is_digit(text_[end - 1]) &&
                                     end + 1 < text_.size() && is_digit(text_[end + 1]))))
      ++end;
    return end;
  }

  static std::string without_underscores(std::string_view text) {
    std::string out;
    for (const char c : text)
      if (c != '_') out += c;
    return out;
  }

  bool floating() {
    if (at_ > 0 && text_[at_ - 1] == '.') return false;
    const size_t whole = digits(at_);
    size_t end = whole, fraction = whole;
    if (whole < text_.size() && text_[whole] == '.') fraction = digits(whole + 1);
    if (fraction > whole + 1) end = fraction;
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
      if (const size_t after = digits(exponent); after > exponent) end = after;
    }
    if (end == whole) return false;
    const std::string plain = without_underscores(text_.substr(at_, end - at_));
    push(TokenKind::floating, at_);
    tokens_.back().floating = std::strtod(plain.c_str(), nullptr);
    at_ = end;
    return true;
  }

  bool number() {
    if (!is_digit(text_[at_])) return false;
    if (floating()) return true;
    size_t end = at_;
    int base = 10;
    const char mark = at_ + 1 < text_.size() ? static_cast<char>(text_[at_ + 1] | 0x20) : '\0';
    const auto valid = [&](char c) {
      const char l = static_cast<char>(c | 0x20);
      if (base == 16) return is_digit(c) || (l >= 'a' && l <= 'f');
      return base == 2 ? c == '0' || c == '1' : c >= '0' && c <= '7';
    };
    if (text_[at_] == '0' && (mark == 'b' || mark == 'o' || mark == 'x')) {
      base = mark == 'b' ? 2 : mark == 'o' ? 8 : 16;
      end = at_ + 2;
      while (end < text_.size() &&
             (valid(text_[end]) ||
              (text_[end] == '_' && end + 1 < text_.size() && valid(text_[end + 1]))))
        ++end;
      if (end == at_ + 2) {
        base = 10;
        end = at_ + 1;
      }
    } else if (text_[at_] == '0') {
      while (end < text_.size() &&
             (text_[end] == '0' ||
              (text_[end] == '_' && end > at_ && end + 1 < text_.size() && text_[end + 1] == '0')))
        ++end;
    } else {
      end = digits(at_);
    }
    const std::string plain = without_underscores(
        text_.substr(base == 10 ? at_ : at_ + 2, end - (base == 10 ? at_ : at_ + 2)));
    push(TokenKind::integer, at_);
    const auto read =
        std::from_chars(plain.data(), plain.data() + plain.size(), tokens_.back().integer, base);
    if (read.ec != std::errc()) throw source_.error(at_, "an integer needs more than 64 bits");
    at_ = end;
    return true;
  }

  bool name() {
    size_t end = at_;
    bool good = true;
    while (end < text_.size()) {
      const auto point = decode_utf8(text_, end);
      const char32_t c = point.value;
      const bool part =
          c < 0x80 ? is_digit(char(c)) || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
                   : continues_identifier(c) || is_number(c);
      if (!part) break;
      if (end == at_ ? !starts_identifier(c) : !continues_identifier(c)) good = false;
      end += point.size;
    }
    if (end == at_) return false;
    if (!good) throw source_.error(at_, "invalid character in identifier");
    push(TokenKind::name, at_, std::string(text_.substr(at_, end - at_)));
    at_ = end;
    return true;
  }

  bool string() {
    const char quote = text_[at_];
    if (quote != '\'' && quote != '"') return false;
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) throw source_.error(at_, "the string is not closed");
    push(TokenKind::string, at_, unescape(text_.substr(at_ + 1, end - at_ - 1), at_ + 1));
    at_ = end + 1;
    return true;
  }

  // As Python's .encode("ascii", "backslashreplace").decode("unicode-escape").
  std::string unescape(std::string_view text, size_t at) const {
    std::string out;
    for (size_t i = 0; i < text.size();) {
      if (text[i] != '\\') {
        out += text[i++];
        continue;
      }
      const size_t escape = i;
      const char c = text[++i];  // there is one: a string does not end with a backslash
      if (static_cast<uint8_t>(c) >= 0x80) {
        const auto point = decode_utf8(text, i);
        char code[12];
        std::snprintf(code, sizeof code,
                      point.value < 0x100     ? "x%02x"
                      : point.value < 0x10000 ? "u%04x"
                                              : "U%08x",
                      static_cast<unsigned>(point.value));
        (out += '\\') += code;
        i += point.size;
        continue;
      }
      ++i;
      switch (c) {
        case '\n':
          break;
        case '\\':
        case '\'':
        case '"':
          out += c;
          break;
        case 'a':
          out += '\a';
          break;
        case 'b':
          out += '\b';
          break;
        case 'f':
          out += '\f';
          break;
        case 'n':
          out += '\n';
          break;
        case 'r':
          out += '\r';
          break;
        case 't':
          out += '\t';
          break;
        case 'v':
          out += '\v';
          break;
        case 'x':
          i = code_point(out, text, i, 2, at + escape);
          break;
        case 'u':
          i = code_point(out, text, i, 4, at + escape);
          break;
        case 'U':
          i = code_point(out, text, i, 8, at + escape);
          break;
        case 'N':
          throw source_.error(at + escape, "\\N{...} is not supported: write the character itself");
        default:
          if (c >= '0' && c <= '7') {
            char32_t value = static_cast<char32_t>(c - '0');
            for (int n = 0; n < 2 && i < text.size() && text[i] >= '0' && text[i] <= '7'; ++n)
              value = value * 8 + static_cast<char32_t>(text[i++] - '0');
            append_utf8(out, value);
          } else {
            (out += '\\') += c;
          }
      }
    }
    return out;
  }

  size_t code_point(std::string& out, std::string_view text, size_t i, size_t count,
                    size_t at) const {
    uint32_t value = 0;
    const std::string_view hex = text.substr(i, count);
    const auto read = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
    if (hex.size() != count || read.ptr != hex.data() + count || value > 0x10FFFF)
      throw source_.error(at, "truncated or too large \\x, \\u or \\U escape");
    append_utf8(out, value);
    return i + count;
  }

  void op() {
    for (const std::string_view two : {"**", "//", "==", "!=", ">=", "<="})
      if (starts(two, at_)) return push_op(two);
    constexpr std::string_view kOne = "+-/*%~[](){}><=.:|,;";
    if (kOne.find(text_[at_]) == kOne.npos) {
      const auto point = decode_utf8(text_, at_);
      std::string shown;
      append_quoted(shown, text_.substr(at_, point.size));
      throw source_.error(at_, "unexpected char " + shown);
    }
    const char c = text_[at_];
    if (c == '(' || c == '[' || c == '{') open_ += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open_.empty()) throw source_.error(at_, std::string("unexpected '") + c + "'");
      if (open_.back() != c)
        throw source_.error(at_,
                            std::string("unexpected '") + c + "', expected '" + open_.back() + "'");
      open_.pop_back();
    }
    push_op(text_.substr(at_, 1));
  }

  void push_op(std::string_view op) {
    push(TokenKind::op, at_, std::string(op));
    at_ += op.size();
  }

  const Source& source_;
  std::string_view text_;
  Whitespace whitespace_;
  std::vector<Token> tokens_ = {};
  std::string open_ = {};  // closing brackets waited for
  size_t at_ = 0;
  bool line_starting_ = true;
};

}  // namespace

std::vector<Token> tokenize(const Source& source, const Whitespace& whitespace) {
  return Lexer(source, whitespace).run();
}

}  // namespace helio::text::jinja
