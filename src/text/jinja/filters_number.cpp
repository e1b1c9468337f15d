// Filters that make numbers: abs, int, float, round, filesizeformat.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "text/jinja/filters.h"
#include "text/jinja/format_numbers.h"
#include "text/unicode.h"

namespace helio::text::jinja {
namespace {

Value abs_filter(Runtime&, const Value& input, const Arguments& a) {
  bind("abs", a, {}, nullptr);
  if (input.is(Kind::floating)) return Value::floating_of(std::abs(input.floating));
  if (input.is_integral())
    return input.as_integer() < 0 ? negate(input) : Value::integer_of(input.as_integer());
  fail("bad operand type for abs(): '" + std::string(type_name(input)) + "'");
}

// Underscores between digits are allowed; false where one stands elsewhere.
bool without_underscores(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    if (i == 0 || i + 1 == text.size() || !std::isxdigit(static_cast<uint8_t>(text[i - 1])) ||
        !std::isxdigit(static_cast<uint8_t>(text[i + 1])))
      return false;
  }
  return true;
}

// Python's float(text).
std::optional<double> parse_float(std::string_view text) {
  std::string plain;
  if (!without_underscores(trim(text), plain) || plain.empty()) return {};
  std::string lower;
  for (const char c : plain) lower += static_cast<char>(std::tolower(static_cast<uint8_t>(c)));
  const size_t sign = lower[0] == '-' || lower[0] == '+' ? 1 : 0;
  const std::string word = lower.substr(sign);
  if (word == "inf" || word == "infinity") return lower[0] == '-' ? -INFINITY : INFINITY;
  if (word == "nan") return NAN;
  if (word.empty() || word.find_first_not_of("0123456789.e+-") != word.npos) return {};
  char* end = nullptr;
  const double value = std::strtod(lower.c_str(), &end);
  if (end != lower.c_str() + lower.size()) return {};
  return value;
}

// Python's int(text, base).
std::optional<int64_t> parse_int(std::string_view text, int64_t base) {
  if (base != 0 && (base < 2 || base > 36)) return {};
  std::string plain(trim(text));
  bool negative = false;
  if (!plain.empty() && (plain[0] == '-' || plain[0] == '+')) {
    negative = plain[0] == '-';
    plain.erase(0, 1);
  }
  if (plain.size() > 2 && plain[0] == '0') {
    const char mark = static_cast<char>(plain[1] | 0x20);
    const int64_t named = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (named && (base == 0 || base == named)) {
      base = named;
      plain.erase(0, 2);
      if (!plain.empty() && plain[0] == '_') plain.erase(0, 1);
    }
  }
  if (base == 0) {
    if (plain.size() > 1 && plain[0] == '0' && plain.find_first_not_of("0_") != plain.npos)
      return {};
    base = 10;
  }
  std::string digits;
  for (size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] == '_' && i > 0 && i + 1 < plain.size() && plain[i - 1] != '_') continue;
    digits += plain[i];
  }
  if (digits.empty() || digits[0] == '-' || digits[0] == '+') return {};
  int64_t value = 0;
  const std::string signed_digits = (negative ? "-" : "") + digits;
  const auto read =
      std::from_chars(signed_digits.data(), signed_digits.data() + signed_digits.size(), value,
                      static_cast<int>(base));
  if (read.ptr != signed_digits.data() + signed_digits.size()) return {};
  if (read.ec == std::errc::result_out_of_range) fail_limit("an integer needs more than 64 bits");
  return read.ec == std::errc() ? std::optional(value) : std::nullopt;
}

Value whole(double d) {
  if (std::abs(d) >= 9.2e18) fail_limit("an integer needs more than 64 bits");
  return Value::integer_of(static_cast<int64_t>(d));
}

Value int_filter(Runtime&, const Value& input, const Arguments& a) {
  Value v[2];
  bind("int", a, {{"default"}, {"base"}}, v);
  const Value otherwise = v[0].is(Kind::missing) ? Value::integer_of(0) : v[0];
  if (input.is(Kind::undefined)) fail(std::string(input.undefined->message));
  if (input.is_integral()) return Value::integer_of(input.as_integer());
  if (input.is(Kind::floating)) {
    if (std::isinf(input.floating)) fail("cannot convert float infinity to integer");
    return std::isnan(input.floating) ? otherwise : whole(input.floating);
  }
  if (!input.is_string()) return otherwise;
  if (v[1].is(Kind::missing) || v[1].is_integral()) {
    const int64_t base = v[1].is(Kind::missing) ? 10 : v[1].as_integer();
    if (const auto n = parse_int(input.string(), base)) return Value::integer_of(*n);
  }
  const auto d = parse_float(input.string());
  return d && std::isfinite(*d) ? whole(*d) : otherwise;
}

Value float_filter(Runtime&, const Value& input, const Arguments& a) {
  Value otherwise;
  bind("float", a, {{"default"}}, &otherwise);
  if (input.is(Kind::undefined)) fail(std::string(input.undefined->message));
  if (input.is_number()) return Value::floating_of(input.as_double());
  if (input.is_string())
    if (const auto d = parse_float(input.string())) return Value::floating_of(*d);
  return otherwise.is(Kind::missing) ? Value::floating_of(0) : otherwise;
}

// Python's round(int, negative): to even tens.
Value round_integer(int64_t n, int64_t precision) {
  if (precision >= 0) return Value::integer_of(n);
  if (precision < -18) return Value::integer_of(0);
  int64_t unit = 1;
  for (int64_t i = precision; i < 0; ++i) unit *= 10;
  int64_t down = n / unit * unit;
  if (n % unit < 0 && __builtin_sub_overflow(down, unit, &down))
    fail_limit("an integer needs more than 64 bits");
  const int64_t rest = n - down;
  const bool up = rest * 2 > unit || (rest > unit / 2 && unit > 1) ||
                  (rest * 2 == unit && (down / unit) % 2 != 0);
  if (up && __builtin_add_overflow(down, unit, &down))
    fail_limit("an integer needs more than 64 bits");
  return Value::integer_of(down);
}

double round_float(double d, int64_t precision) {
  if (!std::isfinite(d) || precision > 330) return d;
  if (precision < -320) return std::copysign(0.0, d);
  if (precision >= 0)
    return std::strtod(format_double(d, 'f', static_cast<int>(precision), false).c_str(), nullptr);
  const double unit = std::pow(10.0, static_cast<double>(-precision));
  return std::nearbyint(d / unit) * unit;
}

Value round_filter(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[2];
  bind("round", a, {{"precision"}, {"method"}}, v);
  const Value precision = v[0].is(Kind::missing) ? Value::integer_of(0) : v[0];
  const std::string_view method =
      v[1].is(Kind::missing) ? "common" : require_string(v[1], "method").string();
  if (method != "common" && method != "ceil" && method != "floor")
    fail("method must be common, ceil or floor");
  if (input.is(Kind::undefined)) fail(std::string(input.undefined->message));
  if (method == "common") {
    if (!input.is_number())
      fail("type " + std::string(type_name(input)) + " doesn't define __round__ method");
    const int64_t digits = index_argument(precision);
    if (input.is_integral()) return round_integer(input.as_integer(), digits);
    return Value::floating_of(round_float(input.floating, digits));
  }
  const Value scale = binary(rt, Binary::pow, Value::integer_of(10), precision);
  const Value scaled = binary(rt, Binary::mul, input, scale);
  if (!scaled.is_number()) fail("must be real number, not " + std::string(type_name(scaled)));
  Value cut = scaled;
  if (scaled.is(Kind::floating)) {
    if (!std::isfinite(scaled.floating)) fail("cannot convert float infinity or NaN to integer");
    cut = whole(method == "ceil" ? std::ceil(scaled.floating) : std::floor(scaled.floating));
  }
  return binary(rt, Binary::div, cut, scale);
}

Value file_size(Runtime& rt, const Value& input, const Arguments& a) {
  Value binary_units;
  bind("filesizeformat", a, {{"binary"}}, &binary_units);
  if (input.is(Kind::undefined)) fail(std::string(input.undefined->message));
  std::optional<double> bytes;
  if (input.is_number()) bytes = input.as_double();
  else if (input.is_string()) bytes = parse_float(input.string());
  if (!bytes) fail("could not convert to float");
  const bool two = !binary_units.is(Kind::missing) && truth(rt, binary_units);
  const double base = two ? 1024 : 1000;
  if (*bytes == 1) return rt.text("1 Byte");
  if (*bytes < base) return rt.text(std::to_string(whole(*bytes).integer) + " Bytes");
  const char* letters = two ? "KMGTPEZY" : "kMGTPEZY";
  double unit = base;
  for (int i = 0; i < 8; ++i) {
    unit = std::pow(base, i + 2);
    if (*bytes < unit || i == 7)
      return rt.text(format_double(base * *bytes / unit, 'f', 1, false) + " " + letters[i] +
                     (two ? "iB" : "B"));
  }
  return Value::none();
}

}  // namespace

void add_number_filters(FilterTable& table) {
  table.insert({{"abs", abs_filter},
                {"int", int_filter},
                {"float", float_filter},
                {"round", round_filter},
                {"filesizeformat", file_size}});
}

}  // namespace helio::text::jinja
