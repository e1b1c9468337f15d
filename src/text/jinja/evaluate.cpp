// Expressions.
#include "text/jinja/renderer.h"

namespace helio::text::jinja {

// Arguments of a call, evaluated: few stand here, more in the arena.
struct Renderer::CallArguments {
  CallArguments(Renderer& r, const Expr& e, Activation& act, const Value* caller) {
    if (!e.star && !e.double_star && e.items.size() <= 6 &&
        e.named.size() + (caller ? 1 : 0) <= 4) {
      for (const Expr* item : e.items) values_[size_++] = r.evaluate(*item, act);
      for (const auto& [name, value] : e.named)
        named_[named_size_++] = {name, r.evaluate(*value, act)};
      if (caller) named_[named_size_++] = {"caller", *caller};
      return;
    }
    for (const Expr* item : e.items) many_.push_back(r.evaluate(*item, act));
    // In Python's order: named ones are evaluated before *rest is gone through.
    for (const auto& [name, value] : e.named)
      many_named_.push_back({name, r.evaluate(*value, act)});
    if (e.star) spread(r, r.evaluate(*e.star, act));
    if (caller) many_named_.push_back({"caller", *caller});
    if (e.double_star) spread_named(r, r.evaluate(*e.double_star, act));
  }
  CallArguments(const CallArguments&) = delete;
  Arguments get() const {
    if (!many_.empty() || !many_named_.empty())
      return {many_.data(), many_.size(), many_named_.data(), many_named_.size()};
    return {values_, size_, named_, named_size_};
  }

 private:
  void spread(Renderer& r, const Value& values) {
    if (!is_iterable(values))
      fail("argument after * must be an iterable, not " + std::string(type_name(values)));
    Iterator* it = iterate(r, values);
    for (Value next; it->next(next);) {
      r.charge(1);
      many_.push_back(next);
    }
  }
  void spread_named(Renderer& r, const Value& values) {
    if (values.is(Kind::undefined)) fail(std::string(values.undefined->message));
    if (!values.is(Kind::dict))
      fail("argument after ** must be a mapping, not " + std::string(type_name(values)));
    for (size_t i = 0; i < values.dict->size; ++i) {
      const Entry& entry = values.dict->entries[i];
      r.charge(1);
      if (!entry.key.is_string()) fail("keywords must be strings");
      for (const Named& one : many_named_)
        if (one.name == entry.key.string())
          fail("got multiple values for keyword argument '" + std::string(one.name) + "'");
      many_named_.push_back({entry.key.string(), entry.value});
    }
  }

  Value values_[6] = {};
  Named named_[4] = {};
  size_t size_ = 0, named_size_ = 0;
  std::vector<Value> many_ = {};
  std::vector<Named> many_named_ = {};
};

Value Renderer::evaluate(const Expr& e, Activation& act) {
  switch (e.kind) {
    case ExprKind::constant:
    case ExprKind::data:
      return e.constant;
    case ExprKind::name: {
      const Value& v = slot(e.slot, act);
      return v.is(Kind::missing) ? e.undefined : v;
    }
    default:
      return evaluate_other(e, act);
  }
}

Value Renderer::evaluate_other(const Expr& e, Activation& act) {
  const Deeper deeper(*this);
  charge(1);
  switch (e.kind) {
    case ExprKind::attribute: {
      const Value object = evaluate(*e.a, act);
      at_ = e.at;
      return get_attribute(*this, object, e.name);
    }
    case ExprKind::item:
      return evaluate_item(e, act);
    case ExprKind::compare:
      return evaluate_compare(e, act);
    case ExprKind::logical_and: {
      const Value left = evaluate(*e.a, act);
      return is_true(left) ? evaluate(*e.b, act) : left;
    }
    case ExprKind::logical_or: {
      const Value left = evaluate(*e.a, act);
      return is_true(left) ? left : evaluate(*e.b, act);
    }
    case ExprKind::logical_not:
      return Value::boolean_of(!is_true(evaluate(*e.a, act)));
    case ExprKind::conditional:
      if (is_true(evaluate(*e.b, act))) return evaluate(*e.a, act);
      return e.c ? evaluate(*e.c, act) : e.undefined;
    case ExprKind::binary: {
      const Value left = evaluate(*e.a, act), right = evaluate(*e.b, act);
      at_ = e.at;
      return binary(*this, e.op, left, right);
    }
    case ExprKind::negate: {
      const Value value = evaluate(*e.a, act);
      at_ = e.at;
      return negate(value);
    }
    case ExprKind::positive: {
      const Value value = evaluate(*e.a, act);
      at_ = e.at;
      return positive(value);
    }
    case ExprKind::concat:
      return evaluate_concat(e, act);
    case ExprKind::call:
      return evaluate_call(e, act, nullptr);
    case ExprKind::filter:
      return evaluate_filter(e, act);
    case ExprKind::test: {
      if (!e.test) {
        at_ = e.at;
        fail("No test named '" + std::string(e.name) + "' found.");
      }
      const Value input = evaluate(*e.a, act);
      const CallArguments arguments(*this, e, act, nullptr);
      at_ = e.at;
      return Value::boolean_of(e.test(*this, input, arguments.get()));
    }
    case ExprKind::list:
    case ExprKind::tuple: {
      Value* items = arena.array<Value>(e.items.size());
      for (size_t i = 0; i < e.items.size(); ++i) items[i] = evaluate(*e.items[i], act);
      return e.kind == ExprKind::list ? list(items, e.items.size()) : tuple(items, e.items.size());
    }
    case ExprKind::dict: {
      Dict* dict = new_dict(*this, e.items.size() / 2);
      for (size_t i = 0; i + 1 < e.items.size(); i += 2) {
        const Value key = evaluate(*e.items[i], act), value = evaluate(*e.items[i + 1], act);
        at_ = e.at;
        put(*this, *dict, key, value);
      }
      return Value::dict_of(dict);
    }
    default:
      fail("internal: an expression of an unknown kind");
  }
}

bool Renderer::compare(Compare op, const Value& a, const Value& b) {
  switch (op) {
    case Compare::eq:
      return equal(*this, a, b);
    case Compare::ne:
      return !equal(*this, a, b);
    case Compare::lt:
      return order(*this, a, b, "<") == Order::less;
    case Compare::gt:
      return order(*this, a, b, ">") == Order::greater;
    case Compare::le: {
      const Order o = order(*this, a, b, "<=");
      return o == Order::less || o == Order::equal;
    }
    case Compare::ge: {
      const Order o = order(*this, a, b, ">=");
      return o == Order::greater || o == Order::equal;
    }
    case Compare::in:
      return contains(*this, b, a);
    case Compare::not_in:
      return !contains(*this, b, a);
  }
  return false;
}

Value Renderer::evaluate_compare(const Expr& e, Activation& act) {
  Value left = evaluate(*e.items[0], act);
  for (size_t i = 0; i < e.compares.size(); ++i) {
    const Value right = evaluate(*e.items[i + 1], act);
    at_ = e.at;
    if (!compare(e.compares[i], left, right)) return Value::boolean_of(false);
    left = right;
  }
  return Value::boolean_of(true);
}

Value Renderer::evaluate_concat(const Expr& e, Activation& act) {
  std::vector<Value> parts;
  for (const Expr* item : e.items) parts.push_back(evaluate(*item, act));
  at_ = e.at;
  Value out = to_text(*this, parts[0]);
  out.mark = Mark::none;
  for (size_t i = 1; i < parts.size(); ++i) {
    Value next = to_text(*this, parts[i]);
    next.mark = Mark::none;
    out = concat(out, next);
  }
  out.mark = Mark::none;
  return out;
}

Value Renderer::evaluate_item(const Expr& e, Activation& act) {
  const Value object = evaluate(*e.a, act);
  if (e.b->kind == ExprKind::slice) {
    const auto part = [&](const Expr* p) { return p ? evaluate(*p, act) : Value::none(); };
    const Value start = part(e.b->a), stop = part(e.b->b), step = part(e.b->c);
    at_ = e.at;
    return get_slice(*this, object, start, stop, step);
  }
  const Value key = evaluate(*e.b, act);
  at_ = e.at;
  return get_item(*this, object, key);
}

Value Renderer::evaluate_call(const Expr& e, Activation& act, const Value* caller) {
  const Deeper deeper(*this);
  const Expr& callee = *e.a;
  if (callee.kind == ExprKind::attribute) {
    const Value object = evaluate(*callee.a, act);
    Method method = nullptr;
    if (object.is_string()) method = callee.methods[0];
    else if (object.is(Kind::list)) method = callee.methods[1];
    else if (object.is(Kind::dict)) method = callee.methods[2];
    if (method) {
      const CallArguments arguments(*this, e, act, caller);
      at_ = callee.at;
      return method(*this, object, arguments.get());
    }
    at_ = callee.at;
    const Value function = get_attribute(*this, object, callee.name);
    const CallArguments arguments(*this, e, act, caller);
    at_ = callee.at;
    return call(function, arguments.get());
  }
  const Value function = evaluate(callee, act);
  const CallArguments arguments(*this, e, act, caller);
  at_ = e.at;
  return call(function, arguments.get());
}

Value Renderer::evaluate_filter(const Expr& e, Activation& act) {
  const Value input = e.a ? evaluate(*e.a, act) : block_text_;
  if (!e.filter) {
    at_ = e.at;
    fail("No filter named '" + std::string(e.name) + "' found.");
  }
  const CallArguments arguments(*this, e, act, nullptr);
  at_ = e.at;
  return e.filter(*this, input, arguments.get());
}

}  // namespace helio::text::jinja
