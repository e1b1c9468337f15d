// A parsed template, and what the symbol analysis says of each name.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "text/jinja/runtime.h"
#include "text/jinja/source.h"

namespace helio::text::jinja {

// Where a variable lives: how many functions out, and its place there.
struct Slot {
  int outward = 0;
  int place = -1;
};

enum class ExprKind : uint8_t {
  constant,
  data,  // text of the template itself
  name,
  names_member,  // target of {% set ns.x = ... %}
  list,
  tuple,
  dict,  // items: key, value, key, value ...
  concat,
  binary,
  negate,
  positive,
  logical_not,
  logical_and,
  logical_or,
  compare,      // items[0] op items[1] op items[2] ...
  conditional,  // a if b else c
  attribute,
  item,
  slice,  // a:b:c, each may be absent
  call,
  filter,  // of a; null a: of the block's text
  test,
};
enum class Compare : uint8_t { eq, ne, lt, le, gt, ge, in, not_in };
enum class NameUse : uint8_t { load, store, parameter };

struct Expr {
  ExprKind kind = ExprKind::constant;
  NameUse use = NameUse::load;
  Binary op = Binary::add;
  uint32_t at = 0;  // in the source
  Value constant = {};
  Value undefined = {};  // of a name: what it is without a value
  std::string_view name = {};
  Slot slot = {};
  Expr *a = nullptr, *b = nullptr, *c = nullptr;
  std::vector<Expr*> items = {};
  std::vector<Compare> compares = {};
  std::vector<std::pair<std::string_view, Expr*>> named = {};
  Expr *star = nullptr, *double_star = nullptr;
  Filter filter = nullptr;
  Test test = nullptr;
  Method methods[3] = {};  // of strings, lists, dicts: what `name` is called as
};

enum class LoadKind : uint8_t { parameter, resolve, alias, undefined };
struct Load {
  LoadKind kind = LoadKind::undefined;
  int place = -1;
  Slot from = {};              // alias
  std::string_view name = {};  // resolve
};
struct Scope {
  std::vector<Load> loads = {};
};

struct Stmt;
// What runs with variables of its own: the template, macros, call blocks, recursive loops, blocks.
struct Function {
  int slots = 0;
  Scope scope = {};
  std::string_view name = {};
  std::vector<std::string_view> parameters = {};
  std::vector<int> parameter_places = {};
  std::vector<Expr*> defaults = {};
  bool wants_caller = false, wants_kwargs = false, wants_varargs = false, explicit_caller = false;
  int caller_place = -1, kwargs_place = -1, varargs_place = -1;
  std::vector<Stmt*>* body = nullptr;
};

enum class StmtKind : uint8_t {
  output,
  if_,
  for_,
  set,
  set_block,
  macro,
  call,
  filter,
  with,
  generation,
  block,
  break_,
  continue_,
  scope,
};

struct Stmt {
  StmtKind kind = StmtKind::output;
  uint32_t at = 0;
  Expr *target = nullptr, *expr = nullptr, *test = nullptr;
  std::vector<Expr*> exprs = {};   // output: parts; with: targets; macro: parameters
  std::vector<Expr*> values = {};  // with: values; macro: defaults
  std::vector<Stmt*> body = {}, elif = {}, otherwise = {};
  std::string_view name = {};
  bool recursive = false, scoped = false, required = false;
  // by the analysis
  bool extended = false;  // has `loop`
  int loop_place = -1;
  Scope scope = {}, test_scope = {}, else_scope = {};
  Function function = {};
  std::vector<std::string_view> exports = {};  // top-level names that blocks can see
  std::vector<Slot> export_slots = {};
};

struct Tree {
  Tree(std::string name, std::string_view text) : source(std::move(name), text) {}

  Source source;
  Arena arena{size_t(1) << 30};
  std::vector<std::unique_ptr<Expr>> expressions = {};
  std::vector<std::unique_ptr<Stmt>> statements = {};
  std::deque<std::string> names = {};
  std::vector<Stmt*> body = {};
  std::vector<Stmt*> blocks = {};
  Function root = {};
  bool has_generation = false;
  std::vector<std::pair<std::string_view, Value>> globals = {};

  std::string_view keep(std::string name) { return names.emplace_back(std::move(name)); }
  Value text(std::string_view bytes) {
    const std::string_view kept = keep(std::string(bytes));
    Text* text = arena.make<Text>(kept.data(), kept.size());
    text->length();
    return Value::text_of(text);
  }
};

// Errors: ErrorKind::invalid with the place.
void parse(Tree& tree);
// Gives each name its place, as jinja2's symbol tracking does.
void analyze(Tree& tree);

}  // namespace helio::text::jinja
