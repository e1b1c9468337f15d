// The parser's two halves: expressions (parser_expressions.cpp) and statements (parser.cpp).
#pragma once

#include <string>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"

namespace helio::text::jinja {

class ExpressionParser {
 public:
  explicit ExpressionParser(Tree& tree);

 protected:
  enum class Conditional : uint8_t { allowed, not_allowed };
  enum class Parentheses : uint8_t { none, around };
  static constexpr int kDeepest = 150;

  const Token& now() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool is_op(std::string_view op) const { return now().kind == TokenKind::op && now().text == op; }
  bool is_name(std::string_view name) const {
    return now().kind == TokenKind::name && now().text == name;
  }
  bool skip_op(std::string_view op);
  bool skip_name(std::string_view name);
  void expect_op(std::string_view op);
  std::string expect_name();
  void expect(TokenKind kind);
  [[noreturn]] void error(const std::string& message, size_t at) const;
  [[noreturn]] void error(const std::string& message) const { error(message, now().at); }
  static std::string describe(const Token& token);

  Expr* make(ExprKind kind, size_t at);
  Expr* expression(Conditional conditional = Conditional::allowed);
  Expr* tuple(Conditional conditional, std::string_view end_name = {},
              Parentheses around = Parentheses::none);
  Expr* filters(Expr* of);  // | name(...) | ...
  Expr* filter(Expr* of);   // name(...)
  Expr* primary();
  // Names to assign to: a name, ns.member, or a tuple of these.
  Expr* target(std::string_view end_name);
  Expr* with_target();
  Expr* target_name();

  Tree& tree_;

 private:
  Expr* conditional();
  Expr* logical_or();
  Expr* logical_and();
  Expr* logical_not();
  Expr* comparison();
  Expr* sum();
  Expr* concat();
  Expr* product();
  Expr* power();
  Expr* unary(bool with_filter);
  Expr* postfix(Expr* of);
  Expr* filter_chain(Expr* of);
  Expr* subscript(Expr* of);
  Expr* subscribed();
  Expr* call(Expr* of);
  Expr* test(Expr* of);
  void arguments(Expr* call);
  bool tuple_ends(std::string_view end_name) const;
  Expr* primary_target();
  void mark_stored(Expr* target, NameUse use);

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace helio::text::jinja
