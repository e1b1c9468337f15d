// "{}".format(...) and the format specification language.
#include <charconv>
#include <cmath>

#include "text/jinja/format_numbers.h"
#include "text/jinja/runtime.h"
#include "text/jinja/unicode_text.h"

namespace helio::text::jinja {
namespace {

constexpr int64_t kWidest = 1 << 24;

struct Spec {
  std::string fill = " ";
  char align = '\0', sign = '\0', grouping = '\0', type = '\0';
  bool alternate = false, zero = false;
  int64_t width = -1, precision = -1;
};

bool is_align(char c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

Spec read_spec(std::string_view text, const Value& value) {
  Spec spec;
  size_t at = 0;
  if (!text.empty()) {
    const size_t first = decode_utf8(text, 0).size;
    if (first < text.size() && is_align(text[first])) {
      spec.fill = text.substr(0, first);
      spec.align = text[first];
      at = first + 1;
    } else if (is_align(text[0])) {
      spec.align = text[0];
      at = 1;
    }
  }
  const auto now = [&] { return at < text.size() ? text[at] : '\0'; };
  const auto number = [&](int64_t otherwise) {
    if (now() < '0' || now() > '9') return otherwise;
    int64_t n = 0;
    while (now() >= '0' && now() <= '9') {
      n = n * 10 + (text[at++] - '0');
      if (n > kWidest) fail_limit("the width is too large");
    }
    return n;
  };
  if (now() == '+' || now() == '-' || now() == ' ') spec.sign = text[at++];
  if (now() == '#') spec.alternate = true, ++at;
  if (now() == '0') {
    spec.zero = true;
    ++at;
    if (!spec.align) {
      spec.fill = "0";
      if (!value.is_string()) spec.align = '=';
    }
  }
  spec.width = number(-1);
  if (now() == ',' || now() == '_') spec.grouping = text[at++];
  if (now() == '.') {
    ++at;
    spec.precision = number(-1);
    if (spec.precision < 0) fail("Format specifier missing precision");
  }
  if (at < text.size()) spec.type = text[at++];
  if (at < text.size()) fail("Invalid format specifier");
  return spec;
}

std::string aligned(const Spec& spec, std::string sign, std::string text, char otherwise) {
  const char align = spec.align ? spec.align : otherwise;
  const int64_t size = count_code_points(text) + static_cast<int64_t>(sign.size());
  const int64_t missing = std::max<int64_t>(0, spec.width - size);
  const int64_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
  std::string before, after;
  for (int64_t i = 0; i < left; ++i) before += spec.fill;
  for (int64_t i = left; i < missing; ++i) after += spec.fill;
  if (align == '=') return sign + before + text;
  return before + sign + text + after;
}

// Separators in the digits before the point; zeros that fill the width are grouped too.
std::string grouped(const Spec& spec, std::string text, size_t sign_size, size_t every) {
  if (!spec.grouping) return text;
  size_t whole = 0;
  while (whole < text.size() && std::isxdigit(static_cast<uint8_t>(text[whole])) &&
         !(every == 3 && !std::isdigit(static_cast<uint8_t>(text[whole]))))
    ++whole;
  std::string digits = text.substr(0, whole);
  const std::string rest = text.substr(whole);
  const auto with_marks = [&](const std::string& d) {
    std::string out;
    for (size_t i = 0; i < d.size(); ++i) {
      if (i && (d.size() - i) % every == 0) out += spec.grouping;
      out += d[i];
    }
    return out;
  };
  if (spec.fill == "0" && spec.align == '=')
    while (static_cast<int64_t>(with_marks(digits).size() + rest.size() + sign_size) < spec.width) {
      const std::string more = "0" + digits;
      digits = more;
    }
  return with_marks(digits) + rest;
}

std::string sign_of(const Spec& spec, bool negative) {
  if (negative) return "-";
  return spec.sign == '+' || spec.sign == ' ' ? std::string(1, spec.sign) : "";
}

std::string format_float(double value, Spec spec) {
  const bool negative = std::signbit(value) && !std::isnan(value);
  const double magnitude = std::abs(value);
  std::string text;
  char type = spec.type;
  const int precision = spec.precision < 0 ? 6 : static_cast<int>(spec.precision);
  if (type == '\0' || type == 'n') {
    if (type == '\0' && spec.precision < 0) text = float_repr(magnitude);
    else {
      text = format_double(magnitude, 'g', spec.precision < 0 ? 6 : std::max(1, precision),
                           spec.alternate);
      // Without a type one digit stands behind the point, as in repr().
      if (type == '\0' && std::isfinite(value)) {
        const size_t e = text.find('e');
        const int exponent =
            magnitude == 0 ? 0 : static_cast<int>(std::floor(std::log10(magnitude)));
        if (e == text.npos && text.find('.') == text.npos) {
          if (exponent >= std::max(1, precision) - 1 && precision >= 1) {
            text = format_double(magnitude, 'e', std::max(1, precision) - 1, spec.alternate);
            std::string mantissa = text.substr(0, text.find('e'));
            if (mantissa.find('.') != mantissa.npos) {
              while (mantissa.back() == '0') mantissa.pop_back();
              if (mantissa.back() == '.') mantissa.pop_back();
            }
            text = mantissa + text.substr(text.find('e'));
          } else {
            text += ".0";
          }
        }
      }
    }
  } else if (type == '%') {
    text = format_double(magnitude * 100, 'f', precision, spec.alternate) + "%";
  } else if (std::string_view("eEfFgG").find(type) != std::string_view::npos) {
    text = format_double(magnitude, type,
                         (type == 'g' || type == 'G') ? std::max(1, precision) : precision,
                         spec.alternate);
  } else {
    fail(std::string("Unknown format code '") + type + "' for object of type 'float'");
  }
  const std::string sign = sign_of(spec, negative);
  return aligned(spec, sign, grouped(spec, text, sign.size(), 3), '>');
}

std::string format_integer(const Value& value, Spec spec) {
  const int64_t n = value.as_integer();
  if (std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos && spec.type)
    return format_float(static_cast<double>(n), spec);
  if (spec.precision >= 0) fail("Precision not allowed in integer format specifier");
  if (spec.type == 'c') {
    if (n < 0 || n > 0x10FFFF) fail("%c arg not in range(0x110000)");
    std::string one;
    append_utf8(one, static_cast<char32_t>(n));
    return aligned(spec, {}, one, '<');
  }
  int base = 10;
  std::string prefix;
  switch (spec.type) {
    case '\0':
    case 'd':
    case 'n':
      break;
    case 'b':
      base = 2, prefix = "0b";
      break;
    case 'o':
      base = 8, prefix = "0o";
      break;
    case 'x':
      base = 16, prefix = "0x";
      break;
    case 'X':
      base = 16, prefix = "0X";
      break;
    default:
      fail(std::string("Unknown format code '") + spec.type + "' for object of type 'int'");
  }
  if (spec.grouping == ',' && base != 10)
    fail(std::string("Cannot specify ',' with '") + spec.type + "'.");
  const uint64_t magnitude = n < 0 ? 0 - static_cast<uint64_t>(n) : static_cast<uint64_t>(n);
  std::string sign = sign_of(spec, n < 0);
  if (spec.alternate) sign += prefix;
  return aligned(spec, sign,
                 grouped(spec, format_digits(magnitude, base, spec.type == 'X'), sign.size(),
                         base == 10 ? 3 : 4),
                 '>');
}

class Braces {
 public:
  Braces(Runtime& rt, const Arguments& arguments) : rt_(rt), arguments_(arguments) {}

  std::string run(std::string_view format, int depth) {
    if (depth < 0) fail("Max string recursion exceeded");
    std::string out;
    for (size_t at = 0; at < format.size();) {
      const char c = format[at];
      if (c != '{' && c != '}') {
        const size_t end = std::min(format.find_first_of("{}", at), format.size());
        out += format.substr(at, end - at);
        at = end;
      } else if (at + 1 < format.size() && format[at + 1] == c) {
        out += c;
        at += 2;
      } else if (c == '}') {
        fail("Single '}' encountered in format string");
      } else {
        at = field(format, at + 1, out, depth);
      }
      rt_.arena.check(out.size());
    }
    return out;
  }

 private:
  // {name!conversion:spec}; returns the place after it.
  size_t field(std::string_view format, size_t at, std::string& out, int depth) {
    size_t end = at;
    int open = 1, brackets = 0;
    for (; end < format.size(); ++end) {
      if (format[end] == '[') ++brackets;
      if (format[end] == ']') brackets = 0;
      if (brackets) continue;
      if (format[end] == '{') ++open;
      if (format[end] == '}' && --open == 0) break;
    }
    if (end >= format.size())
      fail(at >= format.size() ? "Single '{' encountered in format string"
                               : "expected '}' before end of string");
    std::string_view body = format.substr(at, end - at);
    size_t name_end = 0;
    bool inside = false;
    for (; name_end < body.size(); ++name_end) {
      if (body[name_end] == '[') inside = true;
      if (body[name_end] == ']') inside = false;
      if (!inside && (body[name_end] == '!' || body[name_end] == ':')) break;
      if (!inside && body[name_end] == '{') fail("unexpected '{' in field name");
    }
    const std::string_view name = body.substr(0, name_end);
    std::string_view rest = body.substr(name_end);
    char conversion = '\0';
    if (!rest.empty() && rest[0] == '!') {
      if (rest.size() < 2) fail("end of string while looking for conversion specifier");
      conversion = rest[1];
      rest.remove_prefix(2);
      if (!rest.empty() && rest[0] != ':') fail("expected ':' after conversion specifier");
    }
    if (!rest.empty()) rest.remove_prefix(1);
    Value value = lookup(name);
    if (conversion) {
      std::string text;
      if (conversion == 's') append_text(rt_, text, value);
      else if (conversion == 'r' || conversion == 'a') append_repr(rt_, text, value);
      else fail(std::string("Unknown conversion specifier ") + conversion);
      value = rt_.text(text);
    }
    out += format_spec(rt_, value, run(rest, depth - 1));
    return end + 1;
  }

  Value positional(size_t index) {
    if (index >= arguments_.size)
      fail("Replacement index " + std::to_string(index) +
           " out of range for positional args tuple");
    return arguments_[index];
  }

  Value lookup(std::string_view name) {
    const size_t end = std::min(name.find_first_of(".["), name.size());
    const std::string_view first = name.substr(0, end);
    Value value;
    if (first.empty()) {
      if (manual_)
        fail("cannot switch from manual field specification to automatic field numbering");
      automatic_ = true;
      value = positional(next_++);
    } else if (first.find_first_not_of("0123456789") == first.npos) {
      if (automatic_)
        fail("cannot switch from automatic field numbering to manual field specification");
      manual_ = true;
      size_t index = 0;
      std::from_chars(first.data(), first.data() + first.size(), index);
      value = positional(index);
    } else {
      const Value* named = arguments_.find(first);
      if (!named) fail("KeyError: '" + std::string(first) + "'");
      value = *named;
    }
    for (size_t at = end; at < name.size();) {
      if (name[at] == '.') {
        const size_t next = std::min(name.find_first_of(".[", at + 1), name.size());
        if (next == at + 1) fail("Empty attribute in format string");
        value = get_attribute(rt_, value, name.substr(at + 1, next - at - 1));
        at = next;
      } else if (name[at] == '[') {
        const size_t close = name.find(']', at);
        if (close == name.npos) fail("Missing ']' in format string");
        const std::string_view key = name.substr(at + 1, close - at - 1);
        if (key.empty()) fail("Empty attribute in format string");
        int64_t index = 0;
        const auto read = std::from_chars(key.data(), key.data() + key.size(), index);
        const bool number = read.ptr == key.data() + key.size() && key[0] != '-';
        value = get_item(rt_, value, number ? Value::integer_of(index) : rt_.text(key));
        at = close + 1;
      } else {
        fail("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  Runtime& rt_;
  Arguments arguments_;
  bool manual_ = false, automatic_ = false;
  size_t next_ = 0;
};

}  // namespace

std::string format_spec(Runtime& rt, const Value& value, std::string_view text) {
  if (text.empty()) return text_of(rt, value);
  if (value.is_string()) {
    const Spec spec = read_spec(text, value);
    if (spec.type && spec.type != 's')
      fail(std::string("Unknown format code '") + spec.type + "' for object of type 'str'");
    if (spec.sign) fail("Sign not allowed in string format specifier");
    if (spec.alternate) fail("Alternate form (#) not allowed in string format specifier");
    if (spec.grouping) fail(std::string("Cannot specify '") + spec.grouping + "' with 's'.");
    if (spec.align == '=') fail("'=' alignment not allowed in string format specifier");
    std::string shown(spec.precision < 0 ? value.string()
                                         : first_code_points(value.string(), spec.precision));
    return aligned(spec, {}, shown, '<');
  }
  if (value.is(Kind::floating)) return format_float(value.floating, read_spec(text, value));
  if (value.is_integral()) {
    const Spec spec = read_spec(text, value);
    return format_integer(value, spec);
  }
  fail("unsupported format string passed to " + std::string(type_name(value)) + ".__format__");
}

Value format_braces(Runtime& rt, const Value& format, const Arguments& arguments) {
  rt.charge_bytes(format.text->size);
  return rt.text(Braces(rt, arguments).run(format.string(), 2));
}

}  // namespace helio::text::jinja
