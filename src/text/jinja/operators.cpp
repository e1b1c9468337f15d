// Arithmetic as Python's; integers that would need more than 64 bits are refused.
#include <cmath>

#include "text/jinja/runtime.h"

namespace helio::text::jinja {
namespace {

const char* symbol(Binary op) {
  switch (op) {
    case Binary::add:
      return "+";
    case Binary::sub:
      return "-";
    case Binary::mul:
      return "*";
    case Binary::div:
      return "/";
    case Binary::floordiv:
      return "//";
    case Binary::mod:
      return "%";
    case Binary::pow:
      return "** or pow()";
  }
  return "?";
}

[[noreturn]] void too_large() { fail_limit("an integer needs more than 64 bits"); }

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == 0) fail("integer division or modulo by zero");
  if (a == INT64_MIN && b == -1) too_large();
  const int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

int64_t floor_modulo(int64_t a, int64_t b) {
  if (b == 0) fail("integer modulo by zero");
  if (b == -1) return 0;
  const int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

double float_modulo(double a, double b) {
  if (b == 0) fail("float modulo");
  double r = std::fmod(a, b);
  if (r != 0) return (b < 0) != (r < 0) ? r + b : r;
  return std::copysign(0.0, b);
}

double float_floor_divide(double a, double b) {
  if (b == 0) fail("float floor division by zero");
  double r = std::fmod(a, b);
  double q = (a - r) / b;
  if (r != 0 && (b < 0) != (r < 0)) q -= 1;
  if (q == 0) return std::copysign(0.0, a / b);
  const double whole = std::floor(q);
  return q - whole > 0.5 ? whole + 1 : whole;
}

Value power(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    int64_t base = a.as_integer(), exponent = b.as_integer();
    if (exponent < 0) {
      if (base == 0) fail("0.0 cannot be raised to a negative power");
      return Value::floating_of(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
    }
    int64_t result = 1;
    if (base == 1 || base == 0 || base == -1) {
      result = exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base;
      return Value::integer_of(result);
    }
    for (; exponent > 0; --exponent)
      if (__builtin_mul_overflow(result, base, &result)) too_large();
    return Value::integer_of(result);
  }
  const double x = a.as_double(), y = b.as_double();
  if (x == 0 && y < 0) fail("0.0 cannot be raised to a negative power");
  if (x < 0 && std::isfinite(x) && std::isfinite(y) && y != std::floor(y))
    fail("complex numbers are not supported in templates");
  const double result = std::pow(x, y);
  if (std::isinf(result) && std::isfinite(x) && std::isfinite(y))
    fail("Numerical result out of range");
  return Value::floating_of(result);
}

Value divide(const Value& a, const Value& b) {
  if (b.as_double() == 0)
    fail(a.is_integral() && b.is_integral() ? "division by zero" : "float division by zero");
  if (a.is_integral() && b.is_integral())
    return Value::floating_of(static_cast<double>(static_cast<long double>(a.as_integer()) /
                                                  static_cast<long double>(b.as_integer())));
  return Value::floating_of(a.as_double() / b.as_double());
}

Value numbers(Binary op, const Value& a, const Value& b) {
  if (op == Binary::pow) return power(a, b);
  if (op == Binary::div) return divide(a, b);
  if (a.is_integral() && b.is_integral()) {
    const int64_t x = a.as_integer(), y = b.as_integer();
    int64_t out = 0;
    bool over = false;
    switch (op) {
      case Binary::add:
        over = __builtin_add_overflow(x, y, &out);
        break;
      case Binary::sub:
        over = __builtin_sub_overflow(x, y, &out);
        break;
      case Binary::mul:
        over = __builtin_mul_overflow(x, y, &out);
        break;
      case Binary::floordiv:
        out = floor_divide(x, y);
        break;
      default:
        out = floor_modulo(x, y);
    }
    if (over) too_large();
    return Value::integer_of(out);
  }
  const double x = a.as_double(), y = b.as_double();
  switch (op) {
    case Binary::add:
      return Value::floating_of(x + y);
    case Binary::sub:
      return Value::floating_of(x - y);
    case Binary::mul:
      return Value::floating_of(x * y);
    case Binary::floordiv:
      return Value::floating_of(float_floor_divide(x, y));
    default:
      return Value::floating_of(float_modulo(x, y));
  }
}

Value repeat(Runtime& rt, const Value& what, int64_t times) {
  const auto n = static_cast<size_t>(std::max<int64_t>(0, times));
  if (what.is_string()) {
    const std::string_view text = what.string();
    if (n == 0 || text.empty()) return rt.literal("");
    if (text.size() > rt.arena.limit() / n) fail_limit("the template makes too much data");
    rt.charge_bytes(text.size() * n);
    char* out = rt.arena.bytes(text.size() * n);
    for (size_t i = 0; i < n; ++i) std::memcpy(out + i * text.size(), text.data(), text.size());
    return rt.literal({out, text.size() * n});
  }
  const Items& items = *what.items;
  if (n == 0 || items.size == 0) return Value::items_of(what.kind, rt.arena.make<Items>());
  if (items.size > rt.arena.limit() / sizeof(Value) / n)
    fail_limit("the template makes too much data");
  rt.charge(static_cast<int64_t>(items.size * n));
  Value* out = rt.arena.array<Value>(items.size * n);
  for (size_t i = 0; i < n * items.size; ++i) out[i] = items.data[i % items.size];
  return Value::items_of(what.kind, rt.arena.make<Items>(out, items.size * n));
}

Value join_items(Runtime& rt, const Value& a, const Value& b) {
  const Items &x = *a.items, &y = *b.items;
  rt.charge(static_cast<int64_t>(x.size + y.size));
  Value* out = rt.arena.array<Value>(x.size + y.size);
  std::copy(x.data, x.data + x.size, out);
  std::copy(y.data, y.data + y.size, out + x.size);
  return Value::items_of(a.kind, rt.arena.make<Items>(out, x.size + y.size));
}

Value add_strings(Runtime& rt, const Value& a, const Value& b) {
  if (a.mark == Mark::none && b.mark == Mark::none) return rt.concat(a, b);
  Value out = rt.concat(a.mark == Mark::safe ? a : escape_html(rt, a),
                        b.mark == Mark::safe ? b : escape_html(rt, b));
  out.mark = Mark::safe;
  return out;
}

}  // namespace

Value binary(Runtime& rt, Binary op, const Value& a, const Value& b) {
  if (op == Binary::add && a.is_string() && b.is_string()) return add_strings(rt, a, b);
  if (a.is_number() && b.is_number()) return numbers(op, a, b);
  if (op == Binary::mod && a.is_string()) return format_percent(rt, a, b);
  for (const Value* side : {&a, &b})
    if (side->is(Kind::undefined)) fail(std::string(side->undefined->message));
  if (op == Binary::add && a.is_sequence() && a.kind == b.kind) return join_items(rt, a, b);
  if (op == Binary::mul) {
    if ((a.is_string() || a.is_sequence()) && b.is_integral()) return repeat(rt, a, b.as_integer());
    if ((b.is_string() || b.is_sequence()) && a.is_integral()) return repeat(rt, b, a.as_integer());
  }
  if (op == Binary::add && a.is_string())
    fail("can only concatenate str (not \"" + std::string(type_name(b)) + "\") to str");
  if (op == Binary::add && a.is_sequence())
    fail("can only concatenate " + std::string(type_name(a)) + " (not \"" +
         std::string(type_name(b)) + "\") to " + std::string(type_name(a)));
  fail("unsupported operand type(s) for " + std::string(symbol(op)) + ": '" +
       std::string(type_name(a)) + "' and '" + std::string(type_name(b)) + "'");
}

Value negate(const Value& a) {
  if (a.is(Kind::floating)) return Value::floating_of(-a.floating);
  if (a.is_integral()) {
    if (a.as_integer() == INT64_MIN) too_large();
    return Value::integer_of(-a.as_integer());
  }
  if (a.is(Kind::undefined)) fail(std::string(a.undefined->message));
  fail("bad operand type for unary -: '" + std::string(type_name(a)) + "'");
}

Value positive(const Value& a) {
  if (a.is(Kind::floating)) return a;
  if (a.is_integral()) return Value::integer_of(a.as_integer());
  if (a.is(Kind::undefined)) fail(std::string(a.undefined->message));
  fail("bad operand type for unary +: '" + std::string(type_name(a)) + "'");
}

}  // namespace helio::text::jinja
