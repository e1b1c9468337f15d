// What Python says of values: truth, str(), repr(), ==, <, in, len().
#include <charconv>
#include <cmath>
#include <cstdio>

#include "text/jinja/runtime.h"
#include "text/jinja/unicode_text.h"

namespace helio::text::jinja {

std::string_view type_name(const Value& value) {
  switch (value.kind) {
    case Kind::missing:
    case Kind::undefined:
      return "Undefined";
    case Kind::none:
      return "NoneType";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "int";
    case Kind::floating:
      return "float";
    case Kind::string:
      return value.mark == Mark::safe ? "Markup" : "str";
    case Kind::list:
      return "list";
    case Kind::tuple:
      return "tuple";
    case Kind::dict:
      return "dict";
    case Kind::range:
      return "range";
    case Kind::iterator:
      return value.iterator->type;
    case Kind::view:
      return value.view->of == ViewOf::keys     ? "dict_keys"
             : value.view->of == ViewOf::values ? "dict_values"
                                                : "dict_items";
    case Kind::names:
      return "Namespace";
    case Kind::macro:
      return "Macro";
    case Kind::callable:
      return "builtin_function_or_method";
    case Kind::loop:
      return "LoopContext";
    case Kind::cycler:
      return "Cycler";
    case Kind::joiner:
      return "Joiner";
  }
  return "object";
}

bool truth(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::missing:
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
      return value.boolean;
    case Kind::integer:
      return value.integer != 0;
    case Kind::floating:
      return value.floating != 0;
    case Kind::string:
      return value.text->size != 0;
    case Kind::list:
    case Kind::tuple:
      return value.items->size != 0;
    case Kind::dict:
      return value.dict->size != 0;
    case Kind::range:
      return value.range->size != 0;
    case Kind::view:
      return value.view->dict->size != 0;
    case Kind::loop:
      return length_of(rt, value) != 0;
    default:
      return true;
  }
}

std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char digits[32];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific);
  std::string_view all(digits, static_cast<size_t>(end.ptr - digits));
  std::string out;
  if (all[0] == '-') {
    out = "-";
    all.remove_prefix(1);
  }
  const size_t e = all.find('e');
  int exponent = 0;
  const size_t number = all[e + 1] == '+' ? e + 2 : e + 1;
  std::from_chars(all.data() + number, all.data() + all.size(), exponent);
  std::string mantissa(1, all[0]);
  if (e > 1) mantissa += all.substr(2, e - 2);
  const int size = static_cast<int>(mantissa.size());
  if (exponent < -4 || exponent >= 16) {
    out += mantissa[0];
    if (size > 1) out += "." + mantissa.substr(1);
    char tail[8];
    std::snprintf(tail, sizeof tail, "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return out + tail;
  }
  if (exponent < 0)
    return out + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + mantissa;
  if (size <= exponent + 1)
    return out + mantissa + std::string(static_cast<size_t>(exponent + 1 - size), '0') + ".0";
  return out + mantissa.substr(0, static_cast<size_t>(exponent) + 1) + "." +
         mantissa.substr(static_cast<size_t>(exponent) + 1);
}

namespace {

void append_items(Runtime& rt, std::string& out, const Items& items) {
  for (size_t i = 0; i < items.size; ++i) {
    if (i) out += ", ";
    append_repr(rt, out, items.data[i]);
  }
}

void append_dict(Runtime& rt, std::string& out, const Dict& dict) {
  out += '{';
  for (size_t i = 0; i < dict.size; ++i) {
    if (i) out += ", ";
    append_repr(rt, out, dict.entries[i].key);
    out += ": ";
    append_repr(rt, out, dict.entries[i].value);
  }
  out += '}';
}

void append_view(Runtime& rt, std::string& out, const View& view) {
  out += view.of == ViewOf::keys     ? "dict_keys(["
         : view.of == ViewOf::values ? "dict_values(["
                                     : "dict_items([";
  for (size_t i = 0; i < view.dict->size; ++i) {
    const Entry& entry = view.dict->entries[i];
    if (i) out += ", ";
    if (view.of == ViewOf::items) out += '(';
    if (view.of != ViewOf::values) append_repr(rt, out, entry.key);
    if (view.of == ViewOf::items) out += ", ";
    if (view.of != ViewOf::keys) append_repr(rt, out, entry.value);
    if (view.of == ViewOf::items) out += ')';
  }
  out += "])";
}

void append_names(Runtime& rt, std::string& out, Names& names) {
  out += "<Namespace ";
  if (names.printing) out += "{...}";
  else {
    names.printing = true;
    append_dict(rt, out, names.dict);
    names.printing = false;
  }
  out += '>';
}

void check_size(const Runtime& rt, const std::string& out) {
  if (out.size() > rt.arena.limit()) fail_limit("the template makes too much data");
}

}  // namespace

void append_repr(Runtime& rt, std::string& out, const Value& value) {
  const Deeper deeper(rt);
  rt.charge(1);
  switch (value.kind) {
    case Kind::string:
      rt.charge_bytes(value.text->size);
      if (value.mark == Mark::safe) out += "Markup(";
      append_quoted(out, value.string());
      if (value.mark == Mark::safe) out += ')';
      break;
    case Kind::undefined:
    case Kind::missing:
      out += "Undefined";
      break;
    case Kind::list:
      out += '[';
      append_items(rt, out, *value.items);
      out += ']';
      break;
    case Kind::tuple:
      out += '(';
      append_items(rt, out, *value.items);
      out += value.items->size == 1 ? ",)" : ")";
      break;
    case Kind::dict:
      append_dict(rt, out, *value.dict);
      break;
    case Kind::view:
      append_view(rt, out, *value.view);
      break;
    case Kind::names:
      append_names(rt, out, *value.names);
      break;
    default:
      append_text(rt, out, value);
  }
  check_size(rt, out);
}

void append_macro_repr(std::string& out, const Macro& macro);
void append_loop_repr(Runtime& rt, std::string& out, Loop& loop);

void append_text(Runtime& rt, std::string& out, const Value& value) {
  switch (value.kind) {
    case Kind::missing:
    case Kind::undefined:
      return;
    case Kind::none:
      out += "None";
      return;
    case Kind::boolean:
      out += value.boolean ? "True" : "False";
      return;
    case Kind::integer: {
      char digits[24];
      const auto end = std::to_chars(digits, digits + sizeof digits, value.integer);
      out.append(digits, end.ptr);
      return;
    }
    case Kind::floating:
      out += float_repr(value.floating);
      return;
    case Kind::string:
      out += value.string();
      return;
    case Kind::range: {
      const Range& r = *value.range;
      out += "range(" + std::to_string(r.start) + ", " + std::to_string(r.stop);
      if (r.step != 1) out += ", " + std::to_string(r.step);
      out += ')';
      return;
    }
    case Kind::iterator:
      out += std::string("<") + value.iterator->type + " object>";
      return;
    case Kind::callable:
      out += value.callable->describe();
      return;
    case Kind::macro:
      append_macro_repr(out, *value.macro);
      return;
    case Kind::loop:
      append_loop_repr(rt, out, *value.loop);
      return;
    case Kind::cycler:
      out += "<jinja2.utils.Cycler object>";
      return;
    case Kind::joiner:
      out += "<jinja2.utils.Joiner object>";
      return;
    default:
      append_repr(rt, out, value);
  }
}

std::string text_of(Runtime& rt, const Value& value) {
  std::string out;
  append_text(rt, out, value);
  return out;
}

Value to_text(Runtime& rt, const Value& value) {
  if (value.is_string()) return value;
  return rt.text(text_of(rt, value));
}

namespace {

Order order_numbers(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    const int64_t x = a.as_integer(), y = b.as_integer();
    return x < y ? Order::less : x > y ? Order::greater : Order::equal;
  }
  if (a.is(Kind::floating) && b.is(Kind::floating)) {
    const double x = a.floating, y = b.floating;
    return x < y ? Order::less : x > y ? Order::greater : x == y ? Order::equal : Order::unordered;
  }
  if (a.is(Kind::floating)) {
    const Order swapped = order_numbers(b, a);
    return swapped == Order::less      ? Order::greater
           : swapped == Order::greater ? Order::less
                                       : swapped;
  }
  const int64_t i = a.as_integer();  // exact: a double beyond 2^53 is no rounded int64
  const double d = b.floating;
  if (std::isnan(d)) return Order::unordered;
  if (d >= 9223372036854775808.0) return Order::less;
  if (d < -9223372036854775808.0) return Order::greater;
  const auto whole = static_cast<int64_t>(d);
  if (i != whole) return i < whole ? Order::less : Order::greater;
  const double rest = d - static_cast<double>(whole);
  return rest > 0 ? Order::less : rest < 0 ? Order::greater : Order::equal;
}

bool equal_items(Runtime& rt, const Items& a, const Items& b) {
  if (a.size != b.size) return false;
  for (size_t i = 0; i < a.size; ++i)
    if (!same(a.data[i], b.data[i]) && !equal(rt, a.data[i], b.data[i])) return false;
  return true;
}

bool equal_dicts(Runtime& rt, const Dict& a, const Dict& b) {
  if (a.size != b.size) return false;
  for (size_t i = 0; i < a.size; ++i) {
    const Value* other = find(rt, b, a.entries[i].key);
    if (!other || (!same(a.entries[i].value, *other) && !equal(rt, a.entries[i].value, *other)))
      return false;
  }
  return true;
}

bool equal_ranges(const Range& a, const Range& b) {
  if (a.size != b.size) return false;
  return a.size == 0 || (a.start == b.start && (a.size == 1 || a.step == b.step));
}

}  // namespace

bool same(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::none:
    case Kind::missing:
      return true;
    case Kind::boolean:
      return a.boolean == b.boolean;
    case Kind::integer:
      return a.integer == b.integer;
    case Kind::floating:
      return false;
    case Kind::string:
      return a.text == b.text || (a.text->size <= 1 && a.string() == b.string());
    default:
      return a.integer == b.integer;
  }
}

bool equal(Runtime& rt, const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) {
    rt.charge_bytes(a.text->size == b.text->size ? a.text->size : 0);
    return a.string() == b.string();
  }
  if (a.is_number() && b.is_number()) return order_numbers(a, b) == Order::equal;
  if (a.kind != b.kind) return false;
  const Deeper deeper(rt);
  switch (a.kind) {
    case Kind::undefined:
    case Kind::none:
      return true;
    case Kind::list:
    case Kind::tuple:
      return a.items == b.items || equal_items(rt, *a.items, *b.items);
    case Kind::dict:
      return a.dict == b.dict || equal_dicts(rt, *a.dict, *b.dict);
    case Kind::range:
      return equal_ranges(*a.range, *b.range);
    case Kind::view: {
      if (a.view->of == ViewOf::values || b.view->of == ViewOf::values) return a.view == b.view;
      const ValueList left = collect(rt, a);
      if (length_of(rt, a) != length_of(rt, b)) return false;
      ValueList copy = left;
      for (size_t i = 0; i < copy.size(); ++i)
        if (!contains(rt, b, copy[i])) return false;
      return true;
    }
    default:
      return a.integer == b.integer;
  }
}

Order order(Runtime& rt, const Value& a, const Value& b, const char* op) {
  if (a.is_string() && b.is_string()) {
    rt.charge_bytes(std::min(a.text->size, b.text->size));
    const int c = a.string().compare(b.string());
    return c < 0 ? Order::less : c > 0 ? Order::greater : Order::equal;
  }
  if (a.is_number() && b.is_number()) return order_numbers(a, b);
  for (const Value* side : {&a, &b})
    if (side->is(Kind::undefined)) fail(std::string(side->undefined->message));
  if (a.kind == b.kind && a.is_sequence()) {
    const Deeper deeper(rt);
    const Items &x = *a.items, &y = *b.items;
    for (size_t i = 0; i < x.size && i < y.size; ++i)
      if (!same(x.data[i], y.data[i]) && !equal(rt, x.data[i], y.data[i]))
        return order(rt, x.data[i], y.data[i], op);
    return x.size < y.size ? Order::less : x.size > y.size ? Order::greater : Order::equal;
  }
  fail("'" + std::string(op) + "' not supported between instances of '" +
       std::string(type_name(a)) + "' and '" + std::string(type_name(b)) + "'");
}

bool contains(Runtime& rt, const Value& container, const Value& item) {
  switch (container.kind) {
    case Kind::string:
      if (!item.is_string())
        fail("'in <string>' requires string as left operand, not " + std::string(type_name(item)));
      rt.charge_bytes(container.text->size);
      return container.string().find(item.string()) != std::string_view::npos;
    case Kind::dict:
      return find(rt, *container.dict, item) != nullptr;
    case Kind::range: {
      if (!item.is_number()) return false;
      const Range& r = *container.range;
      if (item.is(Kind::floating)) {
        const double d = item.floating;
        if (d != std::floor(d) || std::abs(d) > 9e18) return false;
      }
      const int64_t i =
          item.is(Kind::floating) ? static_cast<int64_t>(item.floating) : item.as_integer();
      return r.size > 0 && (r.step > 0 ? i >= r.start && i < r.stop : i <= r.start && i > r.stop) &&
             (i - r.start) % r.step == 0;
    }
    case Kind::view:
      if (container.view->of == ViewOf::keys)
        return find(rt, *container.view->dict, item) != nullptr;
      if (container.view->of == ViewOf::items) {
        if (!item.is(Kind::tuple) || item.items->size != 2) return false;
        const Value* value = find(rt, *container.view->dict, item.items->data[0]);
        return value && equal(rt, *value, item.items->data[1]);
      }
      break;
    case Kind::undefined:
      return false;
    default:
      break;
  }
  if (!is_iterable(container))
    fail("argument of type '" + std::string(type_name(container)) + "' is not iterable");
  Iterator* it = iterate(rt, container);
  for (Value next; it->next(next);) {
    rt.charge(1);
    if (same(next, item) || equal(rt, next, item)) return true;
  }
  return false;
}

int64_t loop_length(Runtime& rt, Loop& loop);

bool has_length(const Value& value) {
  switch (value.kind) {
    case Kind::undefined:
    case Kind::string:
    case Kind::list:
    case Kind::tuple:
    case Kind::dict:
    case Kind::range:
    case Kind::view:
    case Kind::loop:
      return true;
    default:
      return false;
  }
}

int64_t length_of(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::undefined:
      return 0;
    case Kind::string:
      return value.text->length();
    case Kind::list:
    case Kind::tuple:
      return static_cast<int64_t>(value.items->size);
    case Kind::dict:
      return static_cast<int64_t>(value.dict->size);
    case Kind::range:
      return value.range->size;
    case Kind::view:
      return static_cast<int64_t>(value.view->dict->size);
    case Kind::loop:
      return loop_length(rt, *value.loop);
    default:
      fail("object of type '" + std::string(type_name(value)) + "' has no len()");
  }
}

bool is_iterable(const Value& value) { return value.is(Kind::iterator) || has_length(value); }

bool is_callable(const Value& value) {
  // A loop has __call__ (recursive loops); an undefined value too.
  return value.is(Kind::callable) || value.is(Kind::macro) || value.is(Kind::joiner) ||
         value.is(Kind::loop) || value.is(Kind::undefined);
}

}  // namespace helio::text::jinja
