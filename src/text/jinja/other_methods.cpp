// Methods of lists, tuples, ranges, dicts and numbers that change nothing.
#include <cmath>

#include "text/jinja/runtime.h"

namespace helio::text::jinja {
namespace {

void none_given(const char* name, const Arguments& a) {
  if (a.size + a.named_size)
    fail(std::string(name) + "() takes no arguments (" + std::to_string(a.size) + " given)");
}

Value index_of(Runtime& rt, const Value& self, const Arguments& a) {
  if (a.named_size) fail("index() takes no keyword arguments");
  if (a.size < 1 || a.size > 3 || (self.is(Kind::range) && a.size > 1))
    fail("index expected 1 to 3 arguments");
  const int64_t size = length_of(rt, self);
  const auto place = [&](size_t i, int64_t otherwise) {
    if (a.size <= i) return otherwise;
    int64_t at = index_argument(a[i]);
    if (at < 0) at = at < -size ? 0 : at + size;
    return std::min(at, size);
  };
  for (int64_t i = place(1, 0), end = place(2, size); i < end; ++i) {
    rt.charge(1);
    const Value item =
        self.is(Kind::range) ? Value::integer_of(self.range->at(i)) : self.items->data[i];
    if (same(item, a[0]) || equal(rt, item, a[0])) return Value::integer_of(i);
  }
  fail("the value is not in the " + std::string(type_name(self)));
}

Value count_of(Runtime& rt, const Value& self, const Arguments& a) {
  if (a.named_size || a.size != 1)
    fail("count() takes exactly one argument (" + std::to_string(a.size) + " given)");
  int64_t n = 0;
  Iterator* it = iterate(rt, self);
  for (Value item; it->next(item);) {
    rt.charge(1);
    if (same(item, a[0]) || equal(rt, item, a[0])) ++n;
  }
  return Value::integer_of(n);
}

Value copy_list(Runtime& rt, const Value& self, const Arguments& a) {
  none_given("copy", a);
  return rt.list(self.items->data, self.items->size);
}

Value get(Runtime& rt, const Value& self, const Arguments& a) {
  if (a.named_size) fail("dict.get() takes no keyword arguments");
  if (a.size < 1 || a.size > 2)
    fail("get expected 1 or 2 arguments, got " + std::to_string(a.size));
  const Value* value = find(rt, *self.dict, a[0]);
  return value ? *value : a.size > 1 ? a[1] : Value::none();
}

template <ViewOf kOf>
Value view(Runtime& rt, const Value& self, const Arguments& a) {
  none_given("dict.items", a);
  Value out = Value::of(Kind::view);
  out.view = rt.arena.make<View>(self.dict, kOf);
  return out;
}

Value copy_dict(Runtime& rt, const Value& self, const Arguments& a) {
  none_given("copy", a);
  return Value::dict_of(rt.arena.make<Dict>(*self.dict));
}

Value from_keys(Runtime& rt, const Value&, const Arguments& a) {
  if (a.named_size || a.size < 1 || a.size > 2) fail("fromkeys expected 1 or 2 arguments");
  Dict* out = new_dict(rt, 4);
  Iterator* it = iterate(rt, a[0]);
  for (Value key; it->next(key);) put(rt, *out, key, a.size > 1 ? a[1] : Value::none());
  return Value::dict_of(out);
}

Value is_integer(Runtime&, const Value& self, const Arguments& a) {
  none_given("is_integer", a);
  return Value::boolean_of(std::isfinite(self.floating) &&
                           self.floating == std::floor(self.floating));
}
Value bit_length(Runtime&, const Value& self, const Arguments& a) {
  none_given("bit_length", a);
  uint64_t n = self.as_integer() < 0 ? 0 - static_cast<uint64_t>(self.as_integer())
                                     : static_cast<uint64_t>(self.as_integer());
  int64_t bits = 0;
  for (; n; n >>= 1) ++bits;
  return Value::integer_of(bits);
}
Value conjugate(Runtime&, const Value& self, const Arguments& a) {
  none_given("conjugate", a);
  return self.is(Kind::floating) ? self : Value::integer_of(self.as_integer());
}

}  // namespace

Method list_method(std::string_view name, Kind kind) {
  if (name == "index") return index_of;
  if (name == "count") return count_of;
  return name == "copy" && kind == Kind::list ? copy_list : nullptr;
}

Method dict_method(std::string_view name) {
  if (name == "get") return get;
  if (name == "items") return view<ViewOf::items>;
  if (name == "keys") return view<ViewOf::keys>;
  if (name == "values") return view<ViewOf::values>;
  if (name == "copy") return copy_dict;
  return name == "fromkeys" ? from_keys : nullptr;
}

Method number_method(std::string_view name, Kind kind) {
  if (name == "conjugate") return conjugate;
  if (kind == Kind::floating) return name == "is_integer" ? is_integer : nullptr;
  return name == "bit_length" ? bit_length : nullptr;
}

}  // namespace helio::text::jinja
