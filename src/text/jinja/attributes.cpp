// object.name and object[key], as jinja2's sandbox looks them up.
#include "text/jinja/loop.h"

namespace helio::text::jinja {
namespace {

class BoundMethod final : public Callable {
 public:
  BoundMethod(Method method, Value self, std::string_view name)
      : method_(method), self_(self), name_(name) {}
  Value call(Runtime& rt, const Arguments& arguments) const override {
    return method_(rt, self_, arguments);
  }
  std::string describe() const override {
    return "<built-in method " + std::string(name_) + " of " + std::string(type_name(self_)) +
           " object>";
  }

 private:
  Method method_;
  Value self_;
  std::string_view name_;
};

class CyclerNext final : public Callable {
 public:
  CyclerNext(Cycler* cycler, std::string_view name) : cycler_(cycler), name_(name) {}
  Value call(Runtime& rt, const Arguments& arguments) const override {
    return call_cycler(rt, *cycler_, name_, arguments);
  }
  std::string describe() const override {
    return "<bound method Cycler." + std::string(name_) + ">";
  }

 private:
  Cycler* cycler_;
  std::string_view name_;
};

bool is_mutating(Kind kind, std::string_view name) {
  const auto one_of = [&](std::initializer_list<std::string_view> names) {
    for (const auto n : names)
      if (n == name) return true;
    return false;
  };
  if (kind == Kind::list)
    return one_of({"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"});
  return kind == Kind::dict && one_of({"clear", "pop", "popitem", "setdefault", "update"});
}

// Attributes that every Python object has; reading one is refused.
bool is_python_internal(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "__class__",   "__delattr__",  "__dir__",           "__doc__",          "__eq__",
      "__format__",  "__ge__",       "__getattribute__",  "__getstate__",     "__gt__",
      "__hash__",    "__init__",     "__init_subclass__", "__le__",           "__lt__",
      "__ne__",      "__new__",      "__reduce__",        "__reduce_ex__",    "__repr__",
      "__setattr__", "__sizeof__",   "__str__",           "__subclasshook__", "__len__",
      "__iter__",    "__contains__", "__getitem__"};
  for (const auto known : kNames)
    if (known == name) return true;
  return false;
}

Value unsafe(Runtime& rt, const Value& object, std::string_view name) {
  return rt.undefined("access to attribute '" + std::string(name) + "' of '" +
                      std::string(type_name(object)) + "' object is unsafe.");
}

Value method_of(Runtime& rt, const Value& object, std::string_view name) {
  Method method = nullptr;
  switch (object.kind) {
    case Kind::string:
      method = string_method(name);
      break;
    case Kind::list:
    case Kind::tuple:
    case Kind::range:
      method = list_method(name, object.kind);
      break;
    case Kind::dict:
      method = dict_method(name);
      break;
    case Kind::integer:
    case Kind::boolean:
    case Kind::floating:
      method = number_method(name, object.kind);
      break;
    default:
      break;
  }
  if (!method) return Value();
  return rt.callable(rt.arena.make<BoundMethod>(method, object, rt.text(name).string()));
}

Value macro_attribute(Runtime& rt, const Macro& macro, std::string_view name) {
  const Function& f = *macro.function;
  if (name == "name") return f.name.empty() ? Value::none() : rt.text(f.name);
  if (name == "catch_kwargs") return Value::boolean_of(f.wants_kwargs);
  if (name == "catch_varargs") return Value::boolean_of(f.wants_varargs);
  if (name == "caller") return Value::boolean_of(f.wants_caller);
  if (name == "explicit_caller") return Value::boolean_of(f.explicit_caller);
  if (name != "arguments") return Value();
  ValueList all(rt);
  for (const auto parameter : f.parameters) all.push(rt.text(parameter));
  return all.as_tuple();
}

}  // namespace

Value own_attribute(Runtime& rt, const Value& object, std::string_view name) {
  if (object.is(Kind::undefined)) fail(std::string(object.undefined->message));
  if (object.is(Kind::names)) {  // holds any name, and no attribute of its own
    const Value* value = find(object.names->dict, name);
    if (!value) return Value();
    return name.starts_with('_') ? unsafe(rt, object, name) : *value;
  }
  if (name.starts_with('_')) return is_python_internal(name) ? unsafe(rt, object, name) : Value();
  if (is_mutating(object.kind, name)) return unsafe(rt, object, name);
  switch (object.kind) {
    case Kind::loop:
      return loop_attribute(rt, *object.loop, name);
    case Kind::macro:
      return macro_attribute(rt, *object.macro, name);
    case Kind::cycler: {
      const Cycler& cycler = *object.cycler;
      if (name == "current") return cycler.items.data[cycler.at];
      if (name == "items") return rt.tuple(cycler.items.data, cycler.items.size);
      if (name == "pos") return Value::integer_of(static_cast<int64_t>(cycler.at));
      if (name == "next" || name == "reset")
        return rt.callable(rt.arena.make<CyclerNext>(object.cycler, rt.text(name).string()));
      return Value();
    }
    case Kind::joiner:
      if (name == "sep") return object.joiner->separator;
      return name == "used" ? Value::boolean_of(object.joiner->used) : Value();
    case Kind::tuple:
      if (object.mark == Mark::group) {
        if (name == "grouper") return object.items->data[0];
        if (name == "list") return object.items->data[1];
      }
      break;
    case Kind::range:
      if (name == "start") return Value::integer_of(object.range->start);
      if (name == "stop") return Value::integer_of(object.range->stop);
      if (name == "step") return Value::integer_of(object.range->step);
      break;
    case Kind::integer:
    case Kind::boolean:
      if (name == "real" || name == "numerator") return Value::integer_of(object.as_integer());
      if (name == "imag") return Value::integer_of(0);
      if (name == "denominator") return Value::integer_of(1);
      break;
    case Kind::floating:
      if (name == "real") return object;
      if (name == "imag") return Value::floating_of(0);
      break;
    default:
      break;
  }
  return method_of(rt, object, name);
}

namespace {

// object[key]; missing where Python raises TypeError or LookupError.
Value own_item(Runtime& rt, const Value& object, const Value& key) {
  switch (object.kind) {
    case Kind::dict: {
      if (!is_hashable(key)) return Value();
      const Value* value = find(rt, *object.dict, key);
      return value ? *value : Value();
    }
    case Kind::string:
    case Kind::list:
    case Kind::tuple:
    case Kind::range: {
      if (!key.is_integral()) return Value();
      int64_t index = key.as_integer();
      const int64_t size = length_of(rt, object);
      if (index < 0) index += size;
      if (index < 0 || index >= size) return Value();
      if (object.is(Kind::range)) return Value::integer_of(object.range->at(index));
      if (!object.is_string()) return object.items->data[index];
      const std::string_view text = object.string();
      if (object.text->ascii()) return rt.literal(text.substr(static_cast<size_t>(index), 1));
      rt.charge_bytes(text.size());
      const size_t at = first_code_points(text, index).size();
      return rt.literal(text.substr(at, decode_utf8(text, at).size));
    }
    default:
      return Value();
  }
}

}  // namespace

Value get_attribute(Runtime& rt, const Value& object, std::string_view name) {
  const Value own = own_attribute(rt, object, name);
  if (!own.is(Kind::missing)) return own;
  if (object.is(Kind::dict))
    if (const Value* value = find(*object.dict, name)) return *value;
  return rt.missing_attribute(object, name);
}

Value get_item(Runtime& rt, const Value& object, const Value& key) {
  if (object.is(Kind::undefined)) fail(std::string(object.undefined->message));
  const Value item = own_item(rt, object, key);
  if (!item.is(Kind::missing)) return item;
  if (key.is_string()) {
    const Value own = own_attribute(rt, object, key.string());
    if (!own.is(Kind::missing)) return own;
  }
  return rt.missing_element(object, key);
}

Value get_slice(Runtime& rt, const Value& object, const Value& start, const Value& stop,
                const Value& step) {
  if (object.is(Kind::undefined)) fail(std::string(object.undefined->message));
  if (object.is(Kind::dict)) fail("unhashable type: 'slice'");
  if (!object.is_string() && !object.is_sequence() && !object.is(Kind::range))
    fail("'" + std::string(type_name(object)) + "' object is not subscriptable");
  const auto bound = [](const Value& v) {
    if (!v.is_integral())
      fail("slice indices must be integers or None or have an __index__ method");
    return v.as_integer();
  };
  const int64_t size = length_of(rt, object);
  const int64_t by = step.is(Kind::none) ? 1 : bound(step);
  if (by == 0) fail("slice step cannot be zero");
  const auto place = [&](const Value& v, int64_t otherwise) {
    if (v.is(Kind::none)) return otherwise;
    int64_t i = bound(v);
    if (i < 0) i = i < -size ? -1 : i + size;
    if (by > 0) return std::min(std::max<int64_t>(i, 0), size);
    return std::min(std::max<int64_t>(i, -1), size - 1);
  };
  const int64_t first = place(start, by > 0 ? 0 : size - 1), last = place(stop, by > 0 ? size : -1);
  int64_t count = 0;
  if (by > 0 && last > first) count = (last - first - 1) / by + 1;
  if (by < 0 && first > last) count = by == INT64_MIN ? 1 : (first - last - 1) / -by + 1;
  rt.charge(count / 16 + 1);
  if (object.is(Kind::range)) {
    const Range& r = *object.range;
    Value out = Value::of(Kind::range);
    out.range =
        rt.arena.make<Range>(r.start + first * r.step, r.start + last * r.step, r.step * by, count);
    return out;
  }
  if (!object.is_string()) {
    Value* items = rt.arena.array<Value>(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) items[i] = object.items->data[first + i * by];
    return Value::items_of(object.kind, rt.arena.make<Items>(items, static_cast<size_t>(count)));
  }
  const std::string_view text = object.string();
  const auto from = static_cast<size_t>(first), n = static_cast<size_t>(count);
  if (count == 0) return rt.literal("");
  if (object.text->ascii() && by == 1) return rt.literal(text.substr(from, n));
  rt.charge_bytes(text.size());
  if (by == 1) {
    const std::string_view rest = text.substr(first_code_points(text, first).size());
    return rt.literal(first_code_points(rest, count));
  }
  const std::u32string all = to_code_points(text);
  std::string out;
  for (int64_t i = 0; i < count; ++i) append_utf8(out, all[static_cast<size_t>(first + i * by)]);
  return rt.text(out);
}

}  // namespace helio::text::jinja
