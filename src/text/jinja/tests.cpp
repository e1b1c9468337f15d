// Tests: {{ x is defined }}
#include <map>

#include "text/jinja/runtime.h"
#include "text/jinja/split.h"

namespace helio::text::jinja {
namespace {

void no_more(const char* name, const Arguments& a) { bind(name, a, {}, nullptr); }
Value one(const char* name, const char* parameter, const Arguments& a) {
  Value v;
  bind(name, a, {{parameter, true}}, &v);
  return v;
}

bool remainder_is(Runtime& rt, const Value& value, const Value& by, int64_t rest) {
  return equal(rt, binary(rt, Binary::mod, value, by), Value::integer_of(rest));
}

#define HELIO_KIND_TEST(name, condition)                    \
  bool name(Runtime&, const Value& v, const Arguments& a) { \
    no_more(#name, a);                                      \
    return condition;                                       \
  }
HELIO_KIND_TEST(defined, !v.is(Kind::undefined))
HELIO_KIND_TEST(undefined, v.is(Kind::undefined))
HELIO_KIND_TEST(none, v.is(Kind::none))
HELIO_KIND_TEST(boolean, v.is(Kind::boolean))
HELIO_KIND_TEST(is_false, v.is(Kind::boolean) && !v.boolean)
HELIO_KIND_TEST(is_true, v.is(Kind::boolean) && v.boolean)
HELIO_KIND_TEST(integer, v.is(Kind::integer))
HELIO_KIND_TEST(floating, v.is(Kind::floating))
HELIO_KIND_TEST(number, v.is_number())
HELIO_KIND_TEST(string, v.is_string())
HELIO_KIND_TEST(mapping, v.is(Kind::dict))
HELIO_KIND_TEST(iterable, is_iterable(v))
HELIO_KIND_TEST(callable, is_callable(v))
HELIO_KIND_TEST(escaped, v.is_string() && v.mark == Mark::safe)
HELIO_KIND_TEST(sequence, v.is_string() || v.is_sequence() || v.is(Kind::dict) ||
                              v.is(Kind::range) || v.is(Kind::undefined))
#undef HELIO_KIND_TEST

bool odd(Runtime& rt, const Value& v, const Arguments& a) {
  no_more("odd", a);
  return remainder_is(rt, v, Value::integer_of(2), 1);
}
bool even(Runtime& rt, const Value& v, const Arguments& a) {
  no_more("even", a);
  return remainder_is(rt, v, Value::integer_of(2), 0);
}
bool divisibleby(Runtime& rt, const Value& v, const Arguments& a) {
  return remainder_is(rt, v, one("divisibleby", "num", a), 0);
}
bool lower(Runtime& rt, const Value& v, const Arguments& a) {
  no_more("lower", a);
  return is_lower_text(text_of(rt, v));
}
bool upper(Runtime& rt, const Value& v, const Arguments& a) {
  no_more("upper", a);
  return is_upper_text(text_of(rt, v));
}
bool sameas(Runtime&, const Value& v, const Arguments& a) {
  return same(v, one("sameas", "other", a));
}
bool in(Runtime& rt, const Value& v, const Arguments& a) {
  return contains(rt, one("in", "seq", a), v);
}

bool known_name(const Value& v, bool known) {
  if (!is_hashable(v)) fail("unhashable type: '" + std::string(type_name(v)) + "'");
  return known;
}
bool filter(Runtime&, const Value& v, const Arguments& a) {
  no_more("filter", a);
  return known_name(v, v.is_string() && find_filter(v.string()));
}
bool test(Runtime&, const Value& v, const Arguments& a) {
  no_more("test", a);
  return known_name(v, v.is_string() && find_test(v.string()));
}

// These are Python's operator functions: two values, without names.
Value second(const Arguments& a) {
  if (a.named_size || a.size != 1) fail("expected 2 arguments, got " + std::to_string(a.size + 1));
  return a[0];
}
bool eq(Runtime& rt, const Value& v, const Arguments& a) { return equal(rt, v, second(a)); }
bool ne(Runtime& rt, const Value& v, const Arguments& a) { return !equal(rt, v, second(a)); }
bool lt(Runtime& rt, const Value& v, const Arguments& a) {
  return order(rt, v, second(a), "<") == Order::less;
}
bool gt(Runtime& rt, const Value& v, const Arguments& a) {
  return order(rt, v, second(a), ">") == Order::greater;
}
bool le(Runtime& rt, const Value& v, const Arguments& a) {
  const Order o = order(rt, v, second(a), "<=");
  return o == Order::less || o == Order::equal;
}
bool ge(Runtime& rt, const Value& v, const Arguments& a) {
  const Order o = order(rt, v, second(a), ">=");
  return o == Order::greater || o == Order::equal;
}

}  // namespace

Test find_test(std::string_view name) {
  static const std::map<std::string_view, Test> tests = {{"odd", odd},
                                                         {"even", even},
                                                         {"divisibleby", divisibleby},
                                                         {"defined", defined},
                                                         {"undefined", undefined},
                                                         {"filter", filter},
                                                         {"test", test},
                                                         {"none", none},
                                                         {"boolean", boolean},
                                                         {"false", is_false},
                                                         {"true", is_true},
                                                         {"integer", integer},
                                                         {"float", floating},
                                                         {"lower", lower},
                                                         {"upper", upper},
                                                         {"string", string},
                                                         {"mapping", mapping},
                                                         {"number", number},
                                                         {"sequence", sequence},
                                                         {"iterable", iterable},
                                                         {"callable", callable},
                                                         {"sameas", sameas},
                                                         {"escaped", escaped},
                                                         {"in", in},
                                                         {"==", eq},
                                                         {"eq", eq},
                                                         {"equalto", eq},
                                                         {"!=", ne},
                                                         {"ne", ne},
                                                         {">", gt},
                                                         {"gt", gt},
                                                         {"greaterthan", gt},
                                                         {"ge", ge},
                                                         {">=", ge},
                                                         {"<", lt},
                                                         {"lt", lt},
                                                         {"lessthan", lt},
                                                         {"<=", le},
                                                         {"le", le}};
  const auto found = tests.find(name);
  return found == tests.end() ? nullptr : found->second;
}

}  // namespace helio::text::jinja
