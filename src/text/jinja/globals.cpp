// Functions every template has: range, dict, namespace, cycler, joiner, raise_exception,
// strftime_now.
#include <ctime>

#include "text/jinja/runtime.h"

namespace helio::text::jinja {
namespace {

using Body = Value (*)(Runtime& rt, const Arguments& arguments);

class Function final : public Callable {
 public:
  constexpr Function(const char* name, Body body) : name_(name), body_(body) {}
  Value call(Runtime& rt, const Arguments& arguments) const override {
    return body_(rt, arguments);
  }
  std::string describe() const override { return std::string("<function ") + name_ + ">"; }
  std::string_view name() const { return name_; }

 private:
  const char* name_;
  Body body_;
};

Value range(Runtime& rt, const Arguments& a) {
  if (a.named_size) fail("range() takes no keyword arguments");
  if (a.size < 1 || a.size > 3)
    fail("range expected 1 to 3 arguments, got " + std::to_string(a.size));
  Range* r = rt.arena.make<Range>();
  r->start = a.size > 1 ? index_argument(a[0]) : 0;
  r->stop = index_argument(a[a.size > 1 ? 1 : 0]);
  r->step = a.size > 2 ? index_argument(a[2]) : 1;
  if (r->step == 0) fail("range() arg 3 must not be zero");
  const auto distance = [](int64_t from, int64_t to) {
    return static_cast<uint64_t>(to) - static_cast<uint64_t>(from);
  };
  uint64_t size = 0;
  if (r->step > 0 && r->stop > r->start)
    size = (distance(r->start, r->stop) - 1) / static_cast<uint64_t>(r->step) + 1;
  if (r->step < 0 && r->stop < r->start)
    size = (distance(r->stop, r->start) - 1) / (0 - static_cast<uint64_t>(r->step)) + 1;
  if (size > static_cast<uint64_t>(rt.limits.range))
    fail_limit("Range too big. The sandbox blocks ranges larger than MAX_RANGE (" +
               std::to_string(rt.limits.range) + ").");
  r->size = static_cast<int64_t>(size);
  Value out = Value::of(Kind::range);
  out.range = r;
  return out;
}

// dict(mapping or pairs, name=value ...)
void fill(Runtime& rt, Dict& dict, const Arguments& a) {
  if (a.size > 1) fail("dict expected at most 1 argument, got " + std::to_string(a.size));
  if (a.size == 1 && a[0].is(Kind::dict)) {
    for (size_t i = 0; i < a[0].dict->size; ++i)
      put(rt, dict, a[0].dict->entries[i].key, a[0].dict->entries[i].value);
  } else if (a.size == 1) {
    Iterator* it = iterate(rt, a[0]);
    for (Value next; it->next(next);) {
      ValueList pair = collect(rt, next);
      if (pair.size() != 2)
        fail("dictionary update sequence element has length " + std::to_string(pair.size()) +
             "; 2 is required");
      put(rt, dict, pair[0], pair[1]);
    }
  }
  for (size_t i = 0; i < a.named_size; ++i)
    put(rt, dict, rt.text(a.named[i].name), a.named[i].value);
}

Value dict(Runtime& rt, const Arguments& a) {
  Dict* out = new_dict(rt, 4);
  fill(rt, *out, a);
  return Value::dict_of(out);
}

Value names(Runtime& rt, const Arguments& a) {
  Names* out = rt.arena.make<Names>();
  fill(rt, out->dict, a);
  for (size_t i = 0; i < out->dict.size; ++i)
    if (out->dict.entries[i].key.is_string() && out->dict.entries[i].key.string().starts_with('_'))
      fail("Chat templates cannot store underscore-prefixed attributes on a namespace");
  Value v = Value::of(Kind::names);
  v.names = out;
  return v;
}

Value cycler(Runtime& rt, const Arguments& a) {
  if (a.named_size) fail("cycler() got an unexpected keyword argument");
  if (a.size == 0) fail("at least one item has to be provided");
  Value* items = rt.arena.array<Value>(a.size);
  std::copy(a.data, a.data + a.size, items);
  Value v = Value::of(Kind::cycler);
  v.cycler = rt.arena.make<Cycler>(Items{items, a.size});
  return v;
}

Value joiner(Runtime& rt, const Arguments& a) {
  Value separator;
  bind("joiner", a, {{"sep"}}, &separator);
  Value v = Value::of(Kind::joiner);
  v.joiner = rt.arena.make<Joiner>(separator.is(Kind::missing) ? rt.text(", ") : separator);
  return v;
}

Value raise_exception(Runtime& rt, const Arguments& a) {
  Value message;
  bind("raise_exception", a, {{"message", true}}, &message);
  fail(text_of(rt, message));
}

Value strftime_now(Runtime& rt, const Arguments& a) {
  Value format;
  bind("strftime_now", a, {{"format", true}}, &format);
  std::tm now = {};
  if (rt.now) now = rt.now();
  else {
    const std::time_t seconds = std::time(nullptr);
    localtime_r(&seconds, &now);
  }
  const std::string pattern(require_string(format, "strftime() argument 1").string());
  if (pattern.empty()) return rt.literal("");
  if (pattern.size() > 1000) fail_limit("the date format is too long");
  std::string out(64, '\0');
  // A result may be empty ("%Z"); a space behind tells it from one that did not fit.
  while (out.size() <= 1 << 20) {
    const size_t size = std::strftime(out.data(), out.size(), (pattern + " ").c_str(), &now);
    if (size > 0) return rt.text(std::string_view(out).substr(0, size - 1));
    out.resize(out.size() * 4);
  }
  fail_limit("the date is too long");
}

Value lipsum(Runtime&, const Arguments&) { fail("lipsum() is not supported in chat templates"); }

constexpr Function kFunctions[] = {{"range", range},
                                   {"dict", dict},
                                   {"namespace", names},
                                   {"cycler", cycler},
                                   {"joiner", joiner},
                                   {"raise_exception", raise_exception},
                                   {"strftime_now", strftime_now},
                                   {"lipsum", lipsum}};

}  // namespace

Value find_global(Runtime& rt, std::string_view name) {
  for (const Function& function : kFunctions)
    if (function.name() == name) return rt.callable(&function);
  return Value();
}

Value call_cycler(Runtime&, Cycler& cycler, std::string_view name, const Arguments& arguments) {
  if (arguments.size + arguments.named_size) fail(std::string(name) + "() takes no arguments");
  if (name == "reset") {
    cycler.at = 0;
    return Value::none();
  }
  const Value out = cycler.items.data[cycler.at];
  cycler.at = (cycler.at + 1) % cycler.items.size;
  return out;
}

}  // namespace helio::text::jinja
