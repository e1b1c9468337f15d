// Expressions, with jinja2's grammar and precedence.
#include "text/jinja/parser.h"
#include "text/jinja/unicode_text.h"

namespace helio::text::jinja {

ExpressionParser::ExpressionParser(Tree& tree)
    : tree_(tree), tokens_(tokenize(tree.source, Whitespace{})) {}

bool ExpressionParser::skip_op(std::string_view op) {
  if (!is_op(op)) return false;
  take();
  return true;
}

bool ExpressionParser::skip_name(std::string_view name) {
  if (!is_name(name)) return false;
  take();
  return true;
}

std::string ExpressionParser::describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::data:
      return "template data / text";
    case TokenKind::variable_begin:
      return "begin of print statement";
    case TokenKind::variable_end:
      return "end of print statement";
    case TokenKind::block_begin:
      return "begin of statement block";
    case TokenKind::block_end:
      return "end of statement block";
    case TokenKind::name:
      return token.text;
    case TokenKind::string:
      return "string";
    case TokenKind::integer:
      return "integer";
    case TokenKind::floating:
      return "float";
    case TokenKind::op:
      return token.text;
    case TokenKind::end:
      return "end of template";
  }
  return "?";
}

void ExpressionParser::error(const std::string& message, size_t at) const {
  throw tree_.source.error(at, message);
}

void ExpressionParser::expect_op(std::string_view op) {
  if (!skip_op(op))
    error("expected token '" + std::string(op) + "', got '" + describe(now()) + "'");
}

std::string ExpressionParser::expect_name() {
  if (now().kind != TokenKind::name) error("expected a name, got '" + describe(now()) + "'");
  return take().text;
}

void ExpressionParser::expect(TokenKind kind) {
  if (now().kind != kind)
    error("expected token '" + describe({.kind = kind}) + "', got '" + describe(now()) + "'");
  take();
}

Expr* ExpressionParser::make(ExprKind kind, size_t at) {
  tree_.expressions.push_back(std::make_unique<Expr>());
  Expr* made = tree_.expressions.back().get();
  made->kind = kind;
  made->at = static_cast<uint32_t>(at);
  return made;
}

Expr* ExpressionParser::expression(Conditional allowed) {
  if (++depth_ > kDeepest) error("the expression nests too deeply");
  Expr* out = allowed == Conditional::allowed ? conditional() : logical_or();
  --depth_;
  return out;
}

Expr* ExpressionParser::conditional() {
  Expr* left = logical_or();
  int chained = 0;
  while (is_name("if")) {
    if (++chained > kDeepest) error("the expression nests too deeply");
    Expr* node = make(ExprKind::conditional, take().at);
    node->a = left;
    node->b = logical_or();
    if (skip_name("else")) {
      if (++depth_ > kDeepest) error("the expression nests too deeply");
      node->c = conditional();
      --depth_;
    } else {
      const Place place = tree_.source.place(node->at);
      Undefined* none = tree_.arena.make<Undefined>();
      none->message = tree_.keep("the inline if-expression on line " + std::to_string(place.line) +
                                 " evaluated to false and no else section was defined.");
      node->undefined = Value::of(Kind::undefined);
      node->undefined.undefined = none;
    }
    left = node;
  }
  return left;
}

Expr* ExpressionParser::logical_or() {
  Expr* left = logical_and();
  for (int n = 0; is_name("or"); ++n) {
    if (n > kDeepest) error("the expression nests too deeply");
    Expr* node = make(ExprKind::logical_or, take().at);
    node->a = left;
    node->b = logical_and();
    left = node;
  }
  return left;
}

Expr* ExpressionParser::logical_and() {
  Expr* left = logical_not();
  for (int n = 0; is_name("and"); ++n) {
    if (n > kDeepest) error("the expression nests too deeply");
    Expr* node = make(ExprKind::logical_and, take().at);
    node->a = left;
    node->b = logical_not();
    left = node;
  }
  return left;
}

Expr* ExpressionParser::logical_not() {
  if (!is_name("not")) return comparison();
  Expr* node = make(ExprKind::logical_not, take().at);
  if (++depth_ > kDeepest) error("the expression nests too deeply");
  node->a = logical_not();
  --depth_;
  return node;
}

Expr* ExpressionParser::comparison() {
  Expr* first = sum();
  Expr* node = nullptr;
  const auto add = [&](Compare op, size_t at) {
    if (!node) {
      node = make(ExprKind::compare, at);
      node->items = {first};
    }
    node->compares.push_back(op);
    node->items.push_back(sum());
  };
  while (true) {
    const size_t at = now().at;
    if (skip_op("==")) add(Compare::eq, at);
    else if (skip_op("!=")) add(Compare::ne, at);
    else if (skip_op("<")) add(Compare::lt, at);
    else if (skip_op("<=")) add(Compare::le, at);
    else if (skip_op(">")) add(Compare::gt, at);
    else if (skip_op(">=")) add(Compare::ge, at);
    else if (skip_name("in")) add(Compare::in, at);
    else if (is_name("not") && ahead().kind == TokenKind::name && ahead().text == "in") {
      take();
      take();
      add(Compare::not_in, at);
    } else {
      return node ? node : first;
    }
  }
}

Expr* ExpressionParser::sum() {
  Expr* left = concat();
  for (int n = 0; is_op("+") || is_op("-"); ++n) {
    if (n > kDeepest) error("the expression nests too deeply");
    const Token& op = take();
    Expr* node = make(ExprKind::binary, op.at);
    node->op = op.text == "+" ? Binary::add : Binary::sub;
    node->a = left;
    node->b = concat();
    left = node;
  }
  return left;
}

Expr* ExpressionParser::concat() {
  Expr* first = product();
  if (!is_op("~")) return first;
  Expr* node = make(ExprKind::concat, now().at);
  node->items = {first};
  while (skip_op("~")) node->items.push_back(product());
  return node;
}

Expr* ExpressionParser::product() {
  Expr* left = power();
  for (int n = 0; is_op("*") || is_op("/") || is_op("//") || is_op("%"); ++n) {
    if (n > kDeepest) error("the expression nests too deeply");
    const Token& op = take();
    Expr* node = make(ExprKind::binary, op.at);
    node->op = op.text == "*"    ? Binary::mul
               : op.text == "/"  ? Binary::div
               : op.text == "//" ? Binary::floordiv
                                 : Binary::mod;
    node->a = left;
    node->b = power();
    left = node;
  }
  return left;
}

// From the left, unlike Python: a ** b ** c is (a ** b) ** c, and -a ** b is (-a) ** b.
Expr* ExpressionParser::power() {
  Expr* left = unary(true);
  for (int n = 0; is_op("**"); ++n) {
    if (n > kDeepest) error("the expression nests too deeply");
    Expr* node = make(ExprKind::binary, take().at);
    node->op = Binary::pow;
    node->a = left;
    node->b = unary(true);
    left = node;
  }
  return left;
}

Expr* ExpressionParser::unary(bool with_filter) {
  Expr* node = nullptr;
  if (is_op("-") || is_op("+")) {
    const Token& op = take();
    node = make(op.text == "-" ? ExprKind::negate : ExprKind::positive, op.at);
    if (++depth_ > kDeepest) error("the expression nests too deeply");
    node->a = unary(false);
    --depth_;
  } else {
    node = primary();
  }
  node = postfix(node);
  return with_filter ? filter_chain(node) : node;
}

Expr* ExpressionParser::postfix(Expr* of) {
  for (int n = 0;; ++n) {
    if (n > kDeepest) error("the expression nests too deeply");
    if (is_op(".") || is_op("[")) of = subscript(of);
    else if (is_op("(")) of = call(of);
    else return of;
  }
}

Expr* ExpressionParser::filter_chain(Expr* of) {
  for (int n = 0;; ++n) {
    if (n > kDeepest) error("the expression nests too deeply");
    if (is_op("|")) of = filters(of);
    else if (is_name("is")) of = test(of);
    else if (is_op("(")) of = call(of);
    else return of;
  }
}

Expr* ExpressionParser::subscript(Expr* of) {
  const size_t at = now().at;
  if (skip_op(".")) {
    const Token& name = take();
    if (name.kind == TokenKind::name) {
      Expr* node = make(ExprKind::attribute, at);
      node->a = of;
      node->name = tree_.keep(name.text);
      node->methods[0] = string_method(node->name);
      node->methods[1] = list_method(node->name, Kind::list);
      node->methods[2] = dict_method(node->name);
      return node;
    }
    if (name.kind != TokenKind::integer) error("expected name or number", name.at);
    Expr* node = make(ExprKind::item, at);
    node->a = of;
    node->b = make(ExprKind::constant, name.at);
    node->b->constant = Value::integer_of(name.integer);
    return node;
  }
  take();
  std::vector<Expr*> keys;
  while (!is_op("]")) {
    if (!keys.empty()) expect_op(",");
    keys.push_back(subscribed());
  }
  expect_op("]");
  Expr* node = make(ExprKind::item, at);
  node->a = of;
  if (keys.size() == 1) node->b = keys[0];
  else {
    for (const Expr* key : keys)
      if (key->kind == ExprKind::slice) error("a slice cannot be one of several keys", key->at);
    node->b = make(ExprKind::tuple, at);
    node->b->items = std::move(keys);
  }
  return node;
}

Expr* ExpressionParser::subscribed() {
  const size_t at = now().at;
  Expr* first = nullptr;
  if (!is_op(":")) {
    first = expression();
    if (!is_op(":")) return first;
  }
  expect_op(":");
  Expr* node = make(ExprKind::slice, at);
  node->a = first;
  const auto part_ends = [&] { return is_op(":") || is_op("]") || is_op(","); };
  if (!part_ends()) node->b = expression();
  if (skip_op(":") && !is_op("]") && !is_op(",")) node->c = expression();
  return node;
}

Expr* ExpressionParser::call(Expr* of) {
  Expr* node = make(ExprKind::call, now().at);
  node->a = of;
  arguments(node);
  return node;
}

void ExpressionParser::arguments(Expr* node) {
  const size_t at = now().at;
  const auto ensure = [&](bool good) {
    if (!good) error("invalid syntax for function call expression", at);
  };
  expect_op("(");
  bool comma = false;
  while (!is_op(")")) {
    if (comma) {
      expect_op(",");
      if (is_op(")")) break;
    }
    if (skip_op("*")) {
      ensure(!node->star && !node->double_star);
      node->star = expression();
    } else if (skip_op("**")) {
      ensure(!node->double_star);
      node->double_star = expression();
    } else if (now().kind == TokenKind::name && ahead().kind == TokenKind::op &&
               ahead().text == "=") {
      ensure(!node->double_star);
      const std::string_view key = tree_.keep(take().text);
      take();
      for (const auto& [other, value] : node->named)
        if (other == key) error("the argument '" + std::string(key) + "' is given twice", at);
      node->named.emplace_back(key, expression());
    } else {
      ensure(!node->star && !node->double_star && node->named.empty());
      node->items.push_back(expression());
    }
    comma = true;
  }
  expect_op(")");
}

Expr* ExpressionParser::filters(Expr* of) {
  for (int n = 0; skip_op("|"); ++n) {
    if (n > kDeepest) error("the expression nests too deeply");
    of = filter(of);
  }
  return of;
}

Expr* ExpressionParser::filter(Expr* of) {
  Expr* node = make(ExprKind::filter, now().at);
  std::string name = expect_name();
  while (skip_op(".")) name += "." + expect_name();
  node->name = tree_.keep(name);
  node->a = of;
  node->filter = find_filter(node->name);
  if (is_op("(")) arguments(node);
  return node;
}

Expr* ExpressionParser::test(Expr* of) {
  const size_t at = take().at;
  const bool negated = skip_name("not");
  Expr* node = make(ExprKind::test, at);
  std::string name = expect_name();
  while (skip_op(".")) name += "." + expect_name();
  node->name = tree_.keep(name);
  node->a = of;
  node->test = find_test(node->name);
  if (is_op("(")) arguments(node);
  else {
    const bool word =
        now().kind == TokenKind::name && !is_name("else") && !is_name("or") && !is_name("and");
    if (word || now().kind == TokenKind::string || now().kind == TokenKind::integer ||
        now().kind == TokenKind::floating || is_op("[") || is_op("{")) {
      if (is_name("is")) error("You cannot chain multiple tests with is");
      node->items.push_back(postfix(primary()));
    }
  }
  if (!negated) return node;
  Expr* out = make(ExprKind::logical_not, at);
  out->a = node;
  return out;
}

}  // namespace helio::text::jinja
