// "..." % values
#include <charconv>
#include <cmath>
#include <cstdio>

#include "text/jinja/format_numbers.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode_text.h"

namespace helio::text::jinja {

std::string format_double(double value, char type, int precision, bool alternate) {
  if (std::isnan(value) || std::isinf(value)) {
    std::string out = std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
    if (type >= 'A' && type <= 'Z')
      for (char& c : out) c = static_cast<char>(c >= 'a' ? c - 32 : c);
    return out;
  }
  if (precision > 100'000) fail_limit("the precision is too large");
  std::string pattern = alternate ? "%#.*" : "%.*";
  pattern += type;
  const int size = std::snprintf(nullptr, 0, pattern.c_str(), precision, value);
  std::string out(static_cast<size_t>(size) + 1, '\0');
  std::snprintf(out.data(), out.size(), pattern.c_str(), precision, value);
  out.pop_back();
  return out;
}

std::string format_digits(uint64_t value, int base, bool upper) {
  char digits[72];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, base);
  std::string out(digits, end.ptr);
  if (upper)
    for (char& c : out) c = static_cast<char>(c >= 'a' ? c - 32 : c);
  return out;
}

namespace {

constexpr int64_t kWidest = 1 << 24;

struct Spec {
  bool left = false, plus = false, space = false, zero = false, alternate = false;
  int64_t width = 0, precision = -1;
  char type = 's';
};

class Percent {
 public:
  Percent(Runtime& rt, std::string_view format, const Value& values)
      : rt_(rt), format_(format), values_(values), tuple_(values.is(Kind::tuple)) {}

  std::string run() {
    while (at_ < format_.size()) {
      if (format_[at_] != '%') {
        const size_t end = std::min(format_.find('%', at_), format_.size());
        out_ += format_.substr(at_, end - at_);
        at_ = end;
        continue;
      }
      ++at_;
      directive();
      rt_.arena.check(out_.size());
    }
    const bool all_used =
        tuple_ ? next_ >= values_.items->size : next_ > 0 || keyed_ || takes_keys();
    if (!all_used) fail("not all arguments converted during string formatting");
    return std::move(out_);
  }

 private:
  // A mapping may have more than the format asks for. (Python: anything with [] but str and tuple.)
  bool takes_keys() const {
    return values_.is(Kind::dict) || values_.is(Kind::list) || values_.is(Kind::range) ||
           values_.is(Kind::undefined);
  }
  char now() const {
    if (at_ >= format_.size()) fail("incomplete format");
    return format_[at_];
  }

  Value next_value() {
    if (!tuple_) {
      if (next_++ > 0 || keyed_) fail("not enough arguments for format string");
      return values_;
    }
    if (next_ >= values_.items->size) fail("not enough arguments for format string");
    return values_.items->data[next_++];
  }

  int64_t number(const char* what) {
    if (now() == '*') {
      ++at_;
      const Value v = next_value();
      if (!v.is_integral()) fail("* wants int");
      if (std::abs(v.as_integer()) > kWidest)
        fail_limit(std::string("the ") + what + " is too large");
      return v.as_integer();
    }
    int64_t n = 0;
    while (now() >= '0' && now() <= '9') {
      n = n * 10 + (format_[at_++] - '0');
      if (n > kWidest) fail_limit(std::string("the ") + what + " is too large");
    }
    return n;
  }

  void directive() {
    Value value;
    bool has_value = false;
    if (now() == '(') {
      if (!values_.is(Kind::dict)) {
        if (values_.is(Kind::undefined)) fail(std::string(values_.undefined->message));
        fail("format requires a mapping");
      }
      int depth = 1;
      const size_t begin = ++at_;
      while (depth > 0) {
        depth += now() == '(' ? 1 : now() == ')' ? -1 : 0;
        ++at_;
      }
      const std::string_view key = format_.substr(begin, at_ - 1 - begin);
      const Value* found = find(*values_.dict, key);
      if (!found) fail("KeyError: '" + std::string(key) + "'");
      value = *found;
      has_value = keyed_ = true;
    }
    Spec spec;
    for (;; ++at_) {
      const char c = now();
      if (c == '-') spec.left = true;
      else if (c == '+') spec.plus = true;
      else if (c == ' ') spec.space = true;
      else if (c == '0') spec.zero = true;
      else if (c == '#') spec.alternate = true;
      else break;
    }
    spec.width = number("width");
    if (spec.width < 0) {
      spec.left = true;
      spec.width = -spec.width;
    }
    if (now() == '.') {
      ++at_;
      spec.precision = std::max<int64_t>(0, number("precision"));
    }
    while (now() == 'h' || now() == 'l' || now() == 'L') ++at_;
    spec.type = now();
    ++at_;
    if (spec.type == '%') {
      out_ += '%';
      return;
    }
    if (!has_value) value = next_value();
    convert(spec, value);
  }

  void convert(Spec spec, const Value& value) {
    switch (spec.type) {
      case 's':
      case 'r':
      case 'a': {
        std::string text;
        if (spec.type == 's') append_text(rt_, text, value);
        else append_repr(rt_, text, value);
        if (spec.type == 'a') {
          std::string plain;
          for_each_code_point(text, [&](char32_t c, std::string_view bytes) {
            char escape[12];
            if (c < 0x80) plain += bytes;
            else {
              std::snprintf(escape, sizeof escape,
                            c < 0x100     ? "\\x%02x"
                            : c < 0x10000 ? "\\u%04x"
                                          : "\\U%08x",
                            static_cast<unsigned>(c));
              plain += escape;
            }
          });
          text = plain;
        }
        if (spec.precision >= 0) text = std::string(first_code_points(text, spec.precision));
        return add(spec, {}, text, false);
      }
      case 'c':
        if (value.is_string() && value.text->length() == 1)
          return add(spec, {}, value.string(), false);
        if (!value.is_integral()) fail("%c requires int or char");
        if (value.as_integer() < 0 || value.as_integer() > 0x10FFFF)
          fail("%c arg not in range(0x110000)");
        {
          std::string one;
          append_utf8(one, static_cast<char32_t>(value.as_integer()));
          return add(spec, {}, one, false);
        }
      case 'd':
      case 'i':
      case 'u':
        return integer(spec, value, true);
      case 'o':
      case 'x':
      case 'X':
        return integer(spec, value, false);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G': {
        if (value.is(Kind::undefined)) fail(std::string(value.undefined->message));
        if (!value.is_number()) fail("must be real number, not " + std::string(type_name(value)));
        std::string text = format_double(value.as_double(), spec.type,
                                         spec.precision < 0 ? 6 : static_cast<int>(spec.precision),
                                         spec.alternate);
        const std::string sign = take_sign(spec, text);
        return add(spec, sign, text, true);
      }
      default:
        fail(std::string("unsupported format character '") + spec.type + "'");
    }
  }

  static std::string take_sign(const Spec& spec, std::string& text) {
    if (!text.empty() && text[0] == '-') {
      text.erase(0, 1);
      return "-";
    }
    return spec.plus ? "+" : spec.space ? " " : "";
  }

  void integer(const Spec& spec, const Value& value, bool decimal) {
    if (value.is(Kind::undefined)) fail(std::string(value.undefined->message));
    int64_t n = 0;
    if (value.is_integral()) n = value.as_integer();
    else if (decimal && value.is(Kind::floating)) {
      if (std::isnan(value.floating)) fail("cannot convert float NaN to integer");
      if (std::isinf(value.floating)) fail("cannot convert float infinity to integer");
      if (std::abs(value.floating) >= 9.2e18) fail_limit("an integer needs more than 64 bits");
      n = static_cast<int64_t>(value.floating);
    } else {
      fail(std::string("%") + spec.type + " format: a real number is required, not " +
           std::string(type_name(value)));
    }
    const uint64_t magnitude = n < 0 ? 0 - static_cast<uint64_t>(n) : static_cast<uint64_t>(n);
    std::string text = format_digits(magnitude,
                                     decimal            ? 10
                                     : spec.type == 'o' ? 8
                                                        : 16,
                                     spec.type == 'X');
    if (spec.precision > static_cast<int64_t>(text.size()))
      text.insert(0, static_cast<size_t>(spec.precision) - text.size(), '0');
    std::string sign = n < 0 ? "-" : spec.plus ? "+" : spec.space ? " " : "";
    if (spec.alternate && !decimal) (sign += '0') += spec.type;
    add(spec, sign, text, true);
  }

  void add(const Spec& spec, std::string_view sign, std::string_view text, bool number) {
    const int64_t size = count_code_points(text) + static_cast<int64_t>(sign.size());
    const auto missing = static_cast<size_t>(std::max<int64_t>(0, spec.width - size));
    if (missing && !spec.left && !(spec.zero && number)) out_.append(missing, ' ');
    out_ += sign;
    if (missing && !spec.left && spec.zero && number) out_.append(missing, '0');
    out_ += text;
    if (spec.left) out_.append(missing, ' ');
  }

  Runtime& rt_;
  std::string_view format_;
  Value values_;
  bool tuple_, keyed_ = false;
  size_t at_ = 0, next_ = 0;
  std::string out_ = {};
};

}  // namespace

Value format_percent(Runtime& rt, const Value& format, const Value& values) {
  rt.charge_bytes(format.text->size);
  Value out = rt.text(Percent(rt, format.string(), values).run());
  return out;
}

}  // namespace helio::text::jinja
