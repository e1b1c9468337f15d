#include "text/jinja/loop.h"

namespace helio::text::jinja {

bool Loop::next(Value& out) {
  if (!after.is(Kind::missing)) {
    out = after;
    after = Value();
  } else if (!iterator->next(out)) {
    return false;
  }
  ++index0;
  before = current;
  current = out;
  return true;
}

const Value& Loop::peek() {
  if (after.is(Kind::missing)) {
    Value next;
    if (iterator->next(next)) after = next;
  }
  return after;
}

int64_t loop_length(Runtime& rt, Loop& loop) {
  if (loop.length >= 0) return loop.length;
  if (has_length(loop.iterable)) return loop.length = length_of(rt, loop.iterable);
  Value rest = Value::of(Kind::iterator);
  rest.iterator = loop.iterator;
  ValueList all = collect(rt, rest);
  loop.iterator = iterate(rt, all.as_list());
  return loop.length =
             static_cast<int64_t>(all.size()) + loop.index0 + 1 + !loop.after.is(Kind::missing);
}

namespace {

// loop.cycle and loop.changed, bound to their loop.
class LoopMethod final : public Callable {
 public:
  LoopMethod(Loop* loop, bool cycle) : loop_(loop), cycle_(cycle) {}
  Value call(Runtime& rt, const Arguments& arguments) const override {
    if (arguments.named_size > 0)
      fail(std::string(cycle_ ? "cycle" : "changed") + "() got an unexpected keyword argument");
    if (cycle_) {
      if (arguments.size == 0) fail("no items for cycling given");
      const auto n = static_cast<int64_t>(arguments.size);
      return arguments[static_cast<size_t>(((loop_->index0 % n) + n) % n)];
    }
    Value* copy = rt.arena.array<Value>(arguments.size);
    std::copy(arguments.data, arguments.data + arguments.size, copy);
    const Value values = rt.tuple(copy, arguments.size);
    const bool changed = loop_->changed.is(Kind::missing) || !equal(rt, loop_->changed, values);
    if (changed) loop_->changed = values;
    return Value::boolean_of(changed);
  }
  std::string describe() const override {
    return std::string("<bound method LoopContext.") + (cycle_ ? "cycle" : "changed") + ">";
  }

 private:
  Loop* loop_;
  bool cycle_;
};

class OverLoop final : public Iterator {
 public:
  OverLoop(Runtime& rt, Loop* loop) : rt_(&rt), loop_(loop) { type = "LoopContext"; }
  bool next(Value& out) override {
    Value item;
    if (!loop_->next(item)) return false;
    Value loop = Value::of(Kind::loop);
    loop.loop = loop_;
    out = rt_->pair(item, loop);
    return true;
  }

 private:
  Runtime* rt_;
  Loop* loop_;
};

}  // namespace

Iterator* loop_iterator(Runtime& rt, Loop& loop) { return rt.arena.make<OverLoop>(rt, &loop); }

void append_loop_repr(Runtime& rt, std::string& out, Loop& loop) {
  out += "<LoopContext " + std::to_string(loop.index0 + 1) + "/" +
         std::to_string(loop_length(rt, loop)) + ">";
}

void append_macro_repr(std::string& out, const Macro& macro) {
  if (macro.function->name.empty()) out += "<Macro anonymous>";
  else out += "<Macro '" + std::string(macro.function->name) + "'>";
}

Value loop_attribute(Runtime& rt, Loop& loop, std::string_view name) {
  if (name == "first") return Value::boolean_of(loop.index0 == 0);
  if (name == "last") return Value::boolean_of(loop.peek().is(Kind::missing));
  if (name == "index0") return Value::integer_of(loop.index0);
  if (name == "index") return Value::integer_of(loop.index0 + 1);
  if (name == "length") return Value::integer_of(loop_length(rt, loop));
  if (name == "revindex0") return Value::integer_of(loop_length(rt, loop) - loop.index0 - 1);
  if (name == "revindex") return Value::integer_of(loop_length(rt, loop) - loop.index0);
  if (name == "depth0") return Value::integer_of(loop.depth0);
  if (name == "depth") return Value::integer_of(loop.depth0 + 1);
  if (name == "previtem")
    return loop.index0 == 0 ? rt.undefined("there is no previous item") : loop.before;
  if (name == "nextitem") {
    const Value& next = loop.peek();
    return next.is(Kind::missing) ? rt.undefined("there is no next item") : next;
  }
  if (name == "cycle") return rt.callable(rt.arena.make<LoopMethod>(&loop, true));
  if (name == "changed") return rt.callable(rt.arena.make<LoopMethod>(&loop, false));
  return Value();
}

}  // namespace helio::text::jinja
