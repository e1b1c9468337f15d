// Statements.
#include "text/jinja/renderer.h"

namespace helio::text::jinja {

Renderer::Renderer(const Tree& tree, const RenderOptions& options)
    : Runtime(options.limits, options.now), tree_(tree) {}

Rendered Renderer::render(const Dict& variables) {
  variables_ = &variables;
  try {
    Activation& act = activate(tree_.root, nullptr);
    enter(tree_.root.scope, act);
    run(tree_.body, act);
    return {.text = std::move(out_), .generation = std::move(spans_)};
  } catch (const Failure& failure) {
    Error error = tree_.source.error(at_, failure.message);
    for (const auto& line : failure.chain) error.add_context(line);
    throw error;
  }
}

Activation& Renderer::activate(const Function& function, Activation* outer) {
  Activation* act = arena.make<Activation>();
  act->outer = outer;
  act->slots = arena.array<Value>(static_cast<size_t>(function.slots));
  return *act;
}

Value Renderer::resolve(std::string_view name) {
  if (exports_.size)
    if (const Value* v = find(exports_, name)) return *v;
  if (const Value* v = find(*variables_, name)) return *v;
  return find_global(*this, name);
}

void Renderer::enter(const Scope& scope, Activation& act) {
  for (const Load& load : scope.loads) switch (load.kind) {
      case LoadKind::parameter:
        break;
      case LoadKind::undefined:
        act.slots[load.place] = Value();
        break;
      case LoadKind::alias:
        act.slots[load.place] = slot(load.from, act);
        break;
      case LoadKind::resolve:
        act.slots[load.place] = resolve(load.name);
        break;
    }
}

void Renderer::leave(const Scope& scope, Activation& act) {
  for (const Load& load : scope.loads) act.slots[load.place] = Value();
}

Renderer::Flow Renderer::run(const std::vector<Stmt*>& body, Activation& act) {
  for (const Stmt* s : body)
    if (const Flow flow = run(*s, act); flow != Flow::on) return flow;
  return Flow::on;
}

Renderer::Flow Renderer::run(const Stmt& s, Activation& act) {
  charge(1);
  switch (s.kind) {
    case StmtKind::output:
      output(s, act);
      break;
    case StmtKind::if_:
      return run_if(s, act);
    case StmtKind::for_:
      return run_for(s, act);
    case StmtKind::set: {
      at_ = s.at;
      check_names(*s.target, act);
      const Value value = evaluate(*s.expr, act);
      at_ = s.at;
      assign(*s.target, value, act);
      export_names(s, act);
      break;
    }
    case StmtKind::set_block:
      return run_set_block(s, act);
    case StmtKind::macro: {
      Value macro = Value::of(Kind::macro);
      macro.macro = arena.make<Macro>(&s.function, &act);
      slot(s.target->slot, act) = macro;
      export_names(s, act);
      break;
    }
    case StmtKind::call:
      run_call(s, act);
      break;
    case StmtKind::filter:
      return run_filter(s, act);
    case StmtKind::with:
      return run_with(s, act);
    case StmtKind::generation:
      run_generation(s, act);
      break;
    case StmtKind::block:
      run_block(s);
      break;
    case StmtKind::break_:
      return Flow::stop;
    case StmtKind::continue_:
      return Flow::next;
    case StmtKind::scope:
      break;
  }
  return Flow::on;
}

void Renderer::output(const Stmt& s, Activation& act) {
  for (const Expr* part : s.exprs) {
    if (part->kind == ExprKind::data) out_ += part->constant.string();
    else {
      const Value value = evaluate(*part, act);
      at_ = part->at;
      append_text(*this, out_, value);
    }
    check_output();
  }
}

Renderer::Flow Renderer::run_if(const Stmt& s, Activation& act) {
  const Deeper deeper(*this);
  if (is_true(evaluate(*s.test, act))) return run(s.body, act);
  for (const Stmt* branch : s.elif)
    if (is_true(evaluate(*branch->test, act))) return run(branch->body, act);
  return run(s.otherwise, act);
}

// ---- loops

// {% for ... if test %}: runs ahead of the body when the loop looks ahead.
class Renderer::FilteredLoop final : public Iterator {
 public:
  FilteredLoop(Renderer* renderer, const Stmt* s, Value iterable, Activation* act)
      : renderer_(renderer), s_(s), iterable_(iterable), act_(act) {}
  bool next(Value& out) override {
    if (!iterator_) {
      renderer_->enter(s_->test_scope, *act_);
      iterator_ = iterate(*renderer_, iterable_);
    }
    while (iterator_->next(out)) {
      renderer_->charge(1);
      const int* places = s_->function.parameter_places.data();
      renderer_->assign_places(*s_->target, out, *act_, places);
      if (renderer_->is_true(renderer_->evaluate(*s_->test, *act_))) return true;
    }
    return false;
  }

 private:
  Renderer* renderer_;
  const Stmt* s_;
  Value iterable_;
  Activation* act_;
  Iterator* iterator_ = nullptr;
};

Renderer::Flow Renderer::run_for(const Stmt& s, Activation& act) {
  const Deeper deeper(*this);
  const Value iterable = evaluate(*s.expr, act);
  at_ = s.at;
  if (s.recursive) {
    append_text(*this, out_, run_recursive(s, iterable, act, 0));
    check_output();
    return Flow::on;
  }
  Loop* loop = s.extended ? arena.make<Loop>() : nullptr;
  return run_loop(s, iterable, act, loop);
}

Value Renderer::run_recursive(const Stmt& s, const Value& iterable, Activation& outer,
                              int64_t depth0) {
  Activation& act = activate(s.function, &outer);
  Loop* loop = arena.make<Loop>();
  loop->recursive = &s;
  loop->outer = &outer;
  loop->depth0 = depth0;
  const Capture capture = begin_capture();
  run_loop(s, iterable, act, loop);
  return end_capture(capture);
}

Renderer::Flow Renderer::run_loop(const Stmt& s, const Value& given, Activation& act, Loop* loop) {
  Value iterable = given;
  if (s.test) {
    if (!is_iterable(given)) iterate(*this, given);  // fails
    iterable = iterator(arena.make<FilteredLoop>(this, &s, given, &act));
  }
  Iterator* it = iterate(*this, iterable);
  if (loop) {
    loop->iterable = iterable;
    loop->iterator = it;
  }
  bool empty = true;
  Value item, loop_value = Value::of(Kind::loop);
  loop_value.loop = loop;
  while (loop ? loop->next(item) : it->next(item)) {
    charge(1);
    at_ = s.at;
    assign(*s.target, item, act);
    if (loop) act.slots[s.loop_place] = loop_value;
    enter(s.scope, act);
    const Flow flow = run(s.body, act);
    if (flow == Flow::stop) break;
    if (flow == Flow::next) continue;  // as in jinja2, such a turn does not count for else
    empty = false;
  }
  leave(s.scope, act);
  if (!empty || s.otherwise.empty()) return Flow::on;
  enter(s.else_scope, act);
  const Flow flow = run(s.otherwise, act);
  leave(s.else_scope, act);
  return flow;
}

Value Renderer::call_loop(Loop& loop, const Arguments& arguments) {
  Value iterable;
  bind("loop", arguments, {{"iterable", true}}, &iterable);
  if (!loop.recursive) fail("The loop must have the 'recursive' marker to be called recursively.");
  const Deeper deeper(*this);
  return run_recursive(*loop.recursive, iterable, *loop.outer, loop.depth0 + 1);
}

// ---- assignments

std::vector<Value> Renderer::unpack(const Value& value, size_t count) {
  if (!is_iterable(value))
    fail("cannot unpack non-iterable " + std::string(type_name(value)) + " object");
  std::vector<Value> items;
  Iterator* it = iterate(*this, value);
  for (Value next; it->next(next);) {
    if (items.size() == count)
      fail("too many values to unpack (expected " + std::to_string(count) + ")");
    items.push_back(next);
  }
  if (items.size() < count)
    fail("not enough values to unpack (expected " + std::to_string(count) + ", got " +
         std::to_string(items.size()) + ")");
  return items;
}

void Renderer::assign(const Expr& target, const Value& value, Activation& act) {
  if (target.kind == ExprKind::name) {
    slot(target.slot, act) = value;
  } else if (target.kind == ExprKind::names_member) {
    if (target.name.starts_with('_'))
      fail("Chat templates cannot store underscore-prefixed attributes on a namespace, but got '" +
           std::string(target.name) + "'. Please rename the attribute.");
    put(*this, slot(target.a->slot, act).names->dict, literal(target.name), value);
  } else {
    const std::vector<Value> items = unpack(value, target.items.size());
    for (size_t i = 0; i < items.size(); ++i) assign(*target.items[i], items[i], act);
  }
}

void Renderer::assign_places(const Expr& target, const Value& value, Activation& act,
                             const int*& places) {
  if (target.kind == ExprKind::name) {
    act.slots[*places++] = value;
    return;
  }
  const std::vector<Value> items = unpack(value, target.items.size());
  for (size_t i = 0; i < items.size(); ++i) assign_places(*target.items[i], items[i], act, places);
}

void Renderer::check_names(const Expr& target, Activation& act) {
  if (target.kind == ExprKind::names_member && !slot(target.a->slot, act).is(Kind::names))
    fail("cannot assign attribute on non-namespace object");
  if (target.kind == ExprKind::tuple)
    for (const Expr* item : target.items) check_names(*item, act);
}

void Renderer::export_names(const Stmt& s, Activation& act) {
  for (size_t i = 0; i < s.exports.size(); ++i)
    put(*this, exports_, literal(s.exports[i]), slot(s.export_slots[i], act));
}

// ---- text caught for later

Renderer::Capture Renderer::begin_capture() {
  if (captures_++ == 0) given_ = out_.size();
  return {out_.size()};
}

Value Renderer::end_capture(const Capture& capture) {
  --captures_;
  const Value caught = text(std::string_view(out_).substr(capture.begin));
  out_.resize(capture.begin);
  return caught;
}

Renderer::Flow Renderer::run_set_block(const Stmt& s, Activation& act) {
  const Deeper deeper(*this);
  enter(s.scope, act);
  const Capture capture = begin_capture();
  const Flow flow = run(s.body, act);
  Value value = end_capture(capture);
  if (flow != Flow::on) return flow;
  at_ = s.at;
  check_names(*s.target, act);
  if (s.expr) {
    block_text_ = value;
    value = evaluate(*s.expr, act);
  }
  at_ = s.at;
  assign(*s.target, value, act);
  export_names(s, act);
  leave(s.scope, act);
  return Flow::on;
}

Renderer::Flow Renderer::run_filter(const Stmt& s, Activation& act) {
  const Deeper deeper(*this);
  enter(s.scope, act);
  const Capture capture = begin_capture();
  const Flow flow = run(s.body, act);
  block_text_ = end_capture(capture);
  if (flow != Flow::on) return flow;
  const Value value = evaluate(*s.expr, act);
  append_text(*this, out_, value);
  check_output();
  leave(s.scope, act);
  return Flow::on;
}

Renderer::Flow Renderer::run_with(const Stmt& s, Activation& act) {
  const Deeper deeper(*this);
  enter(s.scope, act);
  for (size_t i = 0; i < s.exprs.size(); ++i) {
    const Value value = evaluate(*s.values[i], act);
    at_ = s.at;
    assign(*s.exprs[i], value, act);
  }
  const Flow flow = run(s.body, act);
  leave(s.scope, act);
  return flow;
}

void Renderer::run_block(const Stmt& s) {
  at_ = s.at;
  if (s.required) fail("Required block '" + std::string(s.name) + "' not found");
  const Deeper deeper(*this);
  Activation& act = activate(s.function, nullptr);
  enter(s.function.scope, act);
  run(s.body, act);
}

void Renderer::run_call(const Stmt& s, Activation& act) {
  const Deeper deeper(*this);
  Value caller = Value::of(Kind::macro);
  caller.macro = arena.make<Macro>(&s.function, &act);
  const Value value = evaluate_call(*s.expr, act, &caller);
  append_text(*this, out_, value);
  check_output();
}

int64_t Renderer::characters_before(size_t bytes) {
  if (bytes < counted_bytes_) counted_bytes_ = 0, counted_characters_ = 0;
  counted_characters_ +=
      count_code_points(std::string_view(out_).substr(counted_bytes_, bytes - counted_bytes_));
  counted_bytes_ = bytes;
  return counted_characters_;
}

// As transformers' extension does: the span begins where the text given out so far ends, which for
// a block inside a macro or another generation block is where that one began.
void Renderer::run_generation(const Stmt& s, Activation& act) {
  const Deeper deeper(*this);
  const int64_t begin = characters_before(captures_ ? given_ : out_.size());
  const Capture capture = begin_capture();
  Activation& inside = activate(s.function, &act);
  enter(s.function.scope, inside);
  run(s.body, inside);
  --captures_;
  const int64_t length = count_code_points(std::string_view(out_).substr(capture.begin));
  spans_.push_back({begin, begin + length});
}

// ---- macros

Value Renderer::call_macro(const Macro& macro, const Arguments& arguments) {
  const Deeper deeper(*this);
  const uint32_t called_at = at_;
  const Function& f = *macro.function;
  const std::string_view name = f.name.empty() ? std::string_view("None") : f.name;
  Activation& act = activate(f, macro.outer);
  std::vector<Named> named(arguments.named, arguments.named + arguments.named_size);
  const auto pop = [&](std::string_view key) {
    for (auto it = named.begin(); it != named.end(); ++it)
      if (it->name == key) {
        const Value value = it->value;
        named.erase(it);
        return value;
      }
    return Value();
  };
  enter(f.scope, act);
  const size_t count = f.parameters.size();
  const bool all_given = arguments.size >= count;
  bool found_caller = all_given && f.explicit_caller;
  for (size_t i = 0; i < count; ++i) {
    Value& place = act.slots[f.parameter_places[i]];
    place = i < arguments.size ? arguments[i] : pop(f.parameters[i]);
    if (!all_given && i >= arguments.size && f.parameters[i] == "caller") found_caller = true;
  }
  if (f.wants_caller && !found_caller) {
    Value caller = pop("caller");
    if (caller.is(Kind::missing) || caller.is(Kind::none)) caller = undefined("No caller defined");
    if (f.caller_place >= 0) act.slots[f.caller_place] = caller;
  }
  if (f.wants_kwargs) {
    Dict* rest = new_dict(*this, named.size());
    for (const Named& one : named) put(*this, *rest, literal(one.name), one.value);
    act.slots[f.kwargs_place] = Value::dict_of(rest);
  } else if (!named.empty()) {
    fail("macro '" + std::string(name) + "' takes no keyword argument '" +
         std::string(named[0].name) + "'");
  }
  if (f.wants_varargs) {
    const size_t more = arguments.size > count ? arguments.size - count : 0;
    Value* rest = arena.array<Value>(more);
    for (size_t i = 0; i < more; ++i) rest[i] = arguments[count + i];
    act.slots[f.varargs_place] = tuple(rest, more);
  } else if (arguments.size > count) {
    fail("macro '" + std::string(name) + "' takes not more than " + std::to_string(count) +
         " argument(s)");
  }
  try {
    for (size_t i = 0; i < count; ++i) {
      Value& place = act.slots[f.parameter_places[i]];
      if (!place.is(Kind::missing)) continue;
      const size_t required = count - f.defaults.size();
      place = i >= required
                  ? evaluate(*f.defaults[i - required], act)
                  : undefined("parameter '" + std::string(f.parameters[i]) + "' was not provided");
    }
    const Capture capture = begin_capture();
    run(*f.body, act);
    const Value result = end_capture(capture);
    at_ = called_at;
    return result;
  } catch (Failure& failure) {
    if (failure.chain.size() < 8)
      failure.chain.push_back(
          "in " +
          (f.name.empty() ? std::string("the call block") : "macro '" + std::string(name) + "'") +
          ", called at " + tree_.source.where(called_at));
    throw;
  }
}

Value Renderer::call(const Value& callee, const Arguments& arguments) {
  charge(1);
  switch (callee.kind) {
    case Kind::macro:
      return call_macro(*callee.macro, arguments);
    case Kind::callable:
      return callee.callable->call(*this, arguments);
    case Kind::loop:
      return call_loop(*callee.loop, arguments);
    case Kind::joiner: {
      if (arguments.size + arguments.named_size > 0) fail("a joiner takes no arguments");
      Joiner& joiner = *callee.joiner;
      return std::exchange(joiner.used, true) ? joiner.separator : literal("");
    }
    case Kind::undefined:
      fail(std::string(callee.undefined->message));
    default:
      fail("'" + std::string(type_name(callee)) + "' object is not callable");
  }
}

}  // namespace helio::text::jinja
