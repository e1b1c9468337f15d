#include "text/jinja/parser.h"

#include <algorithm>

namespace helio::text::jinja {
namespace {

using Words = std::initializer_list<std::string_view>;

class Parser final : ExpressionParser {
 public:
  explicit Parser(Tree& tree) : ExpressionParser(tree) {}

  void run() {
    tree_.body = statements({});
    if (now().kind != TokenKind::end) error("unexpected '" + describe(now()) + "'");
  }

 private:
  Stmt* make_statement(StmtKind kind, size_t at) {
    tree_.statements.push_back(std::make_unique<Stmt>());
    Stmt* made = tree_.statements.back().get();
    made->kind = kind;
    made->at = static_cast<uint32_t>(at);
    return made;
  }

  static bool is_one_of(const std::string& word, Words words) {
    return std::find(words.begin(), words.end(), word) != words.end();
  }

  // Until a block that begins with one of `ends` (its name is the current token then).
  std::vector<Stmt*> statements(Words ends) {
    std::vector<Stmt*> body;
    Stmt* output = nullptr;
    const auto add = [&](Expr* part) {
      if (!output) {
        output = make_statement(StmtKind::output, part->at);
        body.push_back(output);
      }
      output->exprs.push_back(part);
    };
    while (now().kind != TokenKind::end) {
      const Token& token = now();
      if (token.kind == TokenKind::data) {
        Expr* data = make(ExprKind::data, token.at);
        data->constant = tree_.text(token.text);
        add(data);
        take();
      } else if (token.kind == TokenKind::variable_begin) {
        take();
        add(tuple(Conditional::allowed));
        expect(TokenKind::variable_end);
      } else if (token.kind == TokenKind::block_begin) {
        output = nullptr;
        take();
        if (now().kind == TokenKind::name && is_one_of(now().text, ends)) return body;
        if (Stmt* one = statement()) body.push_back(one);
        expect(TokenKind::block_end);
      } else {
        error("unexpected '" + describe(token) + "'");
      }
    }
    return body;
  }

  // The body of a block: `end` of its tag, statements, then one of the words, which stays.
  std::vector<Stmt*> block(Words ends, size_t opened_at) {
    skip_op(":");
    expect(TokenKind::block_end);
    if (++deep_ > kDeepest) error("blocks nest too deeply");
    auto body = statements(ends);
    --deep_;
    if (now().kind == TokenKind::end) {
      std::string wanted;
      for (const auto end : ends)
        wanted += (wanted.empty() ? "'" : " or '") + std::string(end) + "'";
      const Place opened = tree_.source.place(opened_at);
      error("unexpected end of template: the block of line " + std::to_string(opened.line) +
            " needs " + wanted);
    }
    return body;
  }

  std::vector<Stmt*> whole_block(std::string_view end, size_t opened_at) {
    auto body = block({end}, opened_at);
    take();
    return body;
  }

  template <class Body>
  auto outside_loops(Body&& body) {
    const int loops = std::exchange(loops_, 0);
    auto out = body();
    loops_ = loops;
    return out;
  }

  Stmt* statement() {
    const Token& tag = now();
    if (tag.kind != TokenKind::name) error("tag name expected");
    const std::string word = tag.text;
    const size_t at = take().at;
    if (word == "if") return parse_if(at);
    if (word == "for") return parse_for(at);
    if (word == "set") return parse_set(at);
    if (word == "macro") return parse_macro(at);
    if (word == "call") return parse_call(at);
    if (word == "filter") return parse_filter(at);
    if (word == "with") return parse_with(at);
    if (word == "print") return parse_print(at);
    if (word == "block") return parse_block(at);
    if (word == "generation") {
      Stmt* node = make_statement(StmtKind::generation, at);
      tree_.has_generation = true;
      node->body = outside_loops([&] { return whole_block("endgeneration", at); });
      return node;
    }
    if (word == "break" || word == "continue") {
      if (loops_ == 0) error("'" + word + "' outside loop", at);
      return make_statement(word == "break" ? StmtKind::break_ : StmtKind::continue_, at);
    }
    if (word == "include" || word == "import" || word == "from" || word == "extends")
      error("'{% " + word + " %}': chat templates have no access to files", at);
    if (word == "autoescape")
      error("'{% autoescape %}' is not supported: chat templates are no HTML", at);
    error("unknown tag '" + word + "'", at);
  }

  Stmt* parse_if(size_t at) {
    Stmt* node = make_statement(StmtKind::if_, at);
    Stmt* branch = node;
    while (true) {
      const size_t tag = now().at;
      branch->test = tuple(Conditional::not_allowed);
      branch->body = block({"elif", "else", "endif"}, at);
      const std::string word = take().text;
      if (word == "elif") {
        branch = make_statement(StmtKind::if_, tag);
        node->elif.push_back(branch);
        continue;
      }
      if (word == "else") node->otherwise = whole_block("endif", at);
      return node;
    }
  }

  Stmt* parse_for(size_t at) {
    Stmt* node = make_statement(StmtKind::for_, at);
    node->target = target("in");
    if (!skip_name("in")) error("expected token 'in', got '" + describe(now()) + "'");
    node->expr = tuple(Conditional::not_allowed, "recursive");
    if (skip_name("if")) node->test = expression();
    node->recursive = skip_name("recursive");
    ++loops_;
    node->body = block({"endfor", "else"}, at);
    --loops_;
    // A break or continue in else belongs to the loop around; in a recursive loop, which is a
    // function of its own, to none.
    if (take().text == "else") {
      const int loops = node->recursive ? std::exchange(loops_, 0) : loops_;
      node->otherwise = whole_block("endfor", at);
      loops_ = loops;
    }
    return node;
  }

  Stmt* parse_set(size_t at) {
    Stmt* node = make_statement(StmtKind::set, at);
    node->target = target({});
    if (skip_op("=")) {
      node->expr = tuple(Conditional::allowed);
      return node;
    }
    node->kind = StmtKind::set_block;
    node->expr = filters(nullptr);
    node->body = whole_block("endset", at);
    return node;
  }

  void signature(Stmt* node) {
    expect_op("(");
    while (!is_op(")")) {
      if (!node->exprs.empty()) expect_op(",");
      Expr* argument = target_name();
      argument->use = NameUse::parameter;
      for (const Expr* other : node->exprs)
        if (other->name == argument->name)
          error("the parameter '" + std::string(argument->name) + "' is there twice", argument->at);
      if (skip_op("=")) node->values.push_back(expression());
      else if (!node->values.empty()) error("non-default argument follows default argument");
      node->exprs.push_back(argument);
    }
    expect_op(")");
  }

  Stmt* parse_macro(size_t at) {
    Stmt* node = make_statement(StmtKind::macro, at);
    node->target = target_name();
    node->name = node->target->name;
    signature(node);
    node->body = outside_loops([&] { return whole_block("endmacro", at); });
    return node;
  }

  Stmt* parse_call(size_t at) {
    Stmt* node = make_statement(StmtKind::call, at);
    if (is_op("(")) signature(node);
    node->expr = expression();
    if (node->expr->kind != ExprKind::call) error("expected call", at);
    node->body = outside_loops([&] { return whole_block("endcall", at); });
    return node;
  }

  Stmt* parse_filter(size_t at) {
    Stmt* node = make_statement(StmtKind::filter, at);
    node->expr = filters(filter(nullptr));
    node->body = whole_block("endfilter", at);
    return node;
  }

  Stmt* parse_with(size_t at) {
    Stmt* node = make_statement(StmtKind::with, at);
    while (now().kind != TokenKind::block_end) {
      if (!node->exprs.empty()) expect_op(",");
      node->exprs.push_back(with_target());
      expect_op("=");
      node->values.push_back(expression());
    }
    node->body = whole_block("endwith", at);
    return node;
  }

  Stmt* parse_print(size_t at) {
    Stmt* node = make_statement(StmtKind::output, at);
    while (now().kind != TokenKind::block_end) {
      if (!node->exprs.empty()) expect_op(",");
      node->exprs.push_back(expression());
    }
    return node;
  }

  Stmt* parse_block(size_t at) {
    Stmt* node = make_statement(StmtKind::block, at);
    node->name = tree_.keep(expect_name());
    node->scoped = skip_name("scoped");
    node->required = skip_name("required");
    if (is_op("-")) error("block names may not contain hyphens: use an underscore");
    for (const Stmt* other : tree_.blocks)
      if (other->name == node->name)
        error("block '" + std::string(node->name) + "' defined twice", at);
    tree_.blocks.push_back(node);
    node->body = outside_loops([&] { return whole_block("endblock", at); });
    if (node->required) check_required(*node);
    skip_name(node->name);
    return node;
  }

  void check_required(const Stmt& node) {
    for (const Stmt* one : node.body)
      for (const Expr* part : one->exprs)
        if (one->kind != StmtKind::output || part->kind != ExprKind::data ||
            part->constant.string().find_first_not_of(" \t\r\n\v\f") != std::string_view::npos)
          error("Required blocks can only contain comments or whitespace", node.at);
  }

  int loops_ = 0, deep_ = 0;
};

}  // namespace

void parse(Tree& tree) { Parser(tree).run(); }

}  // namespace helio::text::jinja
