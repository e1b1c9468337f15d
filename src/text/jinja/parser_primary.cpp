// The smallest parts of expressions, and what can be assigned to.
#include "text/jinja/parser.h"

namespace helio::text::jinja {

Expr* ExpressionParser::primary() {
  const Token& token = now();
  switch (token.kind) {
    case TokenKind::name: {
      take();
      Expr* node = make(ExprKind::constant, token.at);
      if (token.text == "true" || token.text == "True") node->constant = Value::boolean_of(true);
      else if (token.text == "false" || token.text == "False")
        node->constant = Value::boolean_of(false);
      else if (token.text == "none" || token.text == "None") node->constant = Value::none();
      else {
        node->kind = ExprKind::name;
        node->name = tree_.keep(token.text);
        Undefined* none = tree_.arena.make<Undefined>();
        none->message = tree_.keep("'" + token.text + "' is undefined");
        node->undefined = Value::of(Kind::undefined);
        node->undefined.undefined = none;
      }
      return node;
    }
    case TokenKind::string: {
      Expr* node = make(ExprKind::constant, token.at);
      std::string all;
      while (now().kind == TokenKind::string) all += take().text;
      node->constant = tree_.text(all);
      return node;
    }
    case TokenKind::integer:
    case TokenKind::floating: {
      take();
      Expr* node = make(ExprKind::constant, token.at);
      node->constant = token.kind == TokenKind::integer ? Value::integer_of(token.integer)
                                                        : Value::floating_of(token.floating);
      return node;
    }
    default:
      break;
  }
  if (skip_op("(")) {
    if (++depth_ > kDeepest) error("the expression nests too deeply");
    Expr* node = tuple(Conditional::allowed, {}, Parentheses::around);
    --depth_;
    expect_op(")");
    return node;
  }
  if (is_op("[")) {
    Expr* node = make(ExprKind::list, take().at);
    while (!is_op("]")) {
      if (!node->items.empty()) expect_op(",");
      if (is_op("]")) break;
      node->items.push_back(expression());
    }
    expect_op("]");
    return node;
  }
  if (is_op("{")) {
    Expr* node = make(ExprKind::dict, take().at);
    while (!is_op("}")) {
      if (!node->items.empty()) expect_op(",");
      if (is_op("}")) break;
      node->items.push_back(expression());
      expect_op(":");
      node->items.push_back(expression());
    }
    expect_op("}");
    return node;
  }
  error("unexpected '" + describe(token) + "'");
}

bool ExpressionParser::tuple_ends(std::string_view end_name) const {
  return now().kind == TokenKind::variable_end || now().kind == TokenKind::block_end ||
         is_op(")") || (!end_name.empty() && is_name(end_name));
}

Expr* ExpressionParser::tuple(Conditional allowed, std::string_view end_name, Parentheses around) {
  const size_t at = now().at;
  std::vector<Expr*> items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty()) expect_op(",");
    if (tuple_ends(end_name)) break;
    items.push_back(expression(allowed));
    if (!is_op(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!items.empty()) return items[0];
    if (around == Parentheses::none) error("expected an expression, got '" + describe(now()) + "'");
  }
  Expr* node = make(ExprKind::tuple, at);
  node->items = std::move(items);
  return node;
}

// ---- targets

Expr* ExpressionParser::target_name() {
  const size_t at = now().at;
  const std::string name = expect_name();
  for (const std::string_view word : {"true", "True", "false", "False", "none", "None"})
    if (name == word) error("can't assign to '" + name + "'", at);
  Expr* node = make(ExprKind::name, at);
  node->name = tree_.keep(name);
  node->use = NameUse::store;
  Undefined* none = tree_.arena.make<Undefined>();
  none->message = tree_.keep("'" + name + "' is undefined");
  node->undefined = Value::of(Kind::undefined);
  node->undefined.undefined = none;
  return node;
}

Expr* ExpressionParser::primary_target() {
  if (now().kind == TokenKind::name && ahead().kind == TokenKind::op && ahead().text == ".") {
    Expr* node = make(ExprKind::names_member, now().at);
    node->a = target_name();
    node->a->use = NameUse::load;
    take();
    node->name = tree_.keep(expect_name());
    return node;
  }
  return primary();
}

void ExpressionParser::mark_stored(Expr* node, NameUse use) {
  if (node->kind == ExprKind::name) node->use = use;
  else if (node->kind == ExprKind::tuple)
    for (Expr* item : node->items) mark_stored(item, use);
  else if (node->kind != ExprKind::names_member) error("can't assign to this", node->at);
}

Expr* ExpressionParser::target(std::string_view end_name) {
  const bool members = end_name.empty();
  const size_t at = now().at;
  std::vector<Expr*> items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty()) expect_op(",");
    if (tuple_ends(end_name)) break;
    items.push_back(members ? primary_target() : primary());
    if (!is_op(",")) break;
    is_tuple = true;
  }
  Expr* node = nullptr;
  if (!is_tuple) {
    if (items.empty()) error("expected an expression, got '" + describe(now()) + "'");
    node = items[0];
  } else {
    node = make(ExprKind::tuple, at);
    node->items = std::move(items);
  }
  mark_stored(node, NameUse::store);
  return node;
}

Expr* ExpressionParser::with_target() {
  Expr* node = target({"="});  // jinja2 gives no end name here; no name is "="
  mark_stored(node, NameUse::parameter);
  return node;
}

}  // namespace helio::text::jinja
