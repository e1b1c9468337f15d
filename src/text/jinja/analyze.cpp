// Which variable a name means: jinja2's symbol tracking (its idtracking.py), on slots.
//
// Blocks are scopes; a name that a scope assigns is a variable of that scope, which starts with the
// outer variable's value ("alias"), with the render's variable of that name when it is only read or
// only assigned in a branch ("resolve"), or without one.
#include <algorithm>
#include <map>

#include "text/jinja/ast.h"

namespace helio::text::jinja {
namespace {

struct Symbols {
  Symbols* parent = nullptr;
  Function* function = nullptr;
  int level = 0;                              // functions around
  std::map<std::string_view, int> refs = {};  // places in the function
  std::map<int, Load> loads = {};
  std::set<std::string_view> stores = {};

  bool find(std::string_view name, Slot& slot, int from_level) {
    for (Symbols* s = this; s; s = s->parent)
      if (const auto found = s->refs.find(name); found != s->refs.end()) {
        slot = {from_level - s->level, found->second};
        return true;
      }
    return false;
  }
  bool find_outer(std::string_view name, Slot& slot) {
    return parent && parent->find(name, slot, level);
  }

  int define(std::string_view name, Load load) {
    load.place = function->slots++;
    refs[name] = load.place;
    loads[load.place] = load;
    return load.place;
  }
  void store(std::string_view name) {
    stores.insert(name);
    if (refs.count(name)) return;
    Slot outer;
    if (find_outer(name, outer)) define(name, {.kind = LoadKind::alias, .from = outer});
    else define(name, {.kind = LoadKind::undefined});
  }
  int declare_parameter(std::string_view name) {
    stores.insert(name);
    if (const auto old = refs.find(name); old != refs.end()) {
      loads[old->second] = {.kind = LoadKind::parameter, .place = old->second};
      return old->second;
    }
    return define(name, {.kind = LoadKind::parameter});
  }
  void load(std::string_view name) {
    Slot slot;
    if (!find(name, slot, level)) define(name, {.kind = LoadKind::resolve, .name = name});
  }
  void merge(std::initializer_list<const Symbols*> branches) {
    std::set<std::string_view> stored;
    for (const Symbols* branch : branches)
      for (const auto name : branch->stores)
        if (!stores.count(name)) stored.insert(name);
    for (const Symbols* branch : branches) {
      for (const auto& [name, place] : branch->refs) refs[name] = place;
      for (const auto& [place, load] : branch->loads) loads[place] = load;
      stores.insert(branch->stores.begin(), branch->stores.end());
    }
    for (const auto name : stored) {
      const int place = refs.at(name);
      Slot outer;
      if (find_outer(name, outer))
        loads[place] = {.kind = LoadKind::alias, .place = place, .from = outer};
      else loads[place] = {.kind = LoadKind::resolve, .place = place, .name = name};
    }
  }
  Scope scope() const {
    Scope out;
    for (const auto& [place, load] : loads) out.loads.push_back(load);
    return out;
  }
};

// Calls visit for each expression under one, the outer first.
template <class Visit>
void each_expression(Expr* e, Visit&& visit) {
  if (!e) return;
  visit(e);
  if (e->kind == ExprKind::conditional) {  // in jinja2's order: test, then, else
    each_expression(e->b, visit);
    each_expression(e->a, visit);
    each_expression(e->c, visit);
    return;
  }
  each_expression(e->a, visit);
  each_expression(e->b, visit);
  each_expression(e->c, visit);
  for (Expr* item : e->items) each_expression(item, visit);
  for (auto& [name, value] : e->named) each_expression(value, visit);
  each_expression(e->star, visit);
  each_expression(e->double_star, visit);
}

// Every expression of a statement and what is in it, in jinja2's order. `into` false: skip it.
template <class Visit, class Into>
void each_in_statement(const Stmt& s, Visit&& visit, Into&& into);

template <class Visit, class Into>
void each_in_statements(const std::vector<Stmt*>& body, Visit&& visit, Into&& into) {
  for (const Stmt* s : body)
    if (into(*s)) each_in_statement(*s, visit, into);
}

template <class Visit, class Into>
void each_in_statement(const Stmt& s, Visit&& visit, Into&& into) {
  if (s.kind == StmtKind::filter) {
    each_in_statements(s.body, visit, into);
    each_expression(s.expr, visit);
    return;
  }
  if (s.kind == StmtKind::call) each_expression(s.expr, visit);
  if (s.kind != StmtKind::macro) each_expression(s.target, visit);
  if (s.kind != StmtKind::call) each_expression(s.expr, visit);
  if (s.kind == StmtKind::if_) each_expression(s.test, visit);
  for (Expr* e : s.exprs) each_expression(e, visit);
  for (Expr* e : s.values) each_expression(e, visit);
  each_in_statements(s.body, visit, into);
  each_in_statements(s.elif, visit, into);
  each_in_statements(s.otherwise, visit, into);
  if (s.kind == StmtKind::for_) each_expression(s.test, visit);
}

// jinja2's find_undeclared: which of the names a body reads before it assigns them.
std::set<std::string_view> undeclared(const std::vector<Stmt*>& body,
                                      std::set<std::string_view> names) {
  std::set<std::string_view> found;
  each_in_statements(
      body,
      [&](Expr* e) {
        if (e->kind != ExprKind::name) return;
        if (e->use == NameUse::load && names.count(e->name)) found.insert(e->name);
        else names.erase(e->name);
      },
      [](const Stmt& s) { return s.kind != StmtKind::block; });
  return found;
}

class Analyzer {
 public:
  explicit Analyzer(Tree& tree) : tree_(tree) {}

  void run() {
    if (!undeclared(tree_.body, {"self"}).empty())
      throw tree_.source.error(0, "'self' is not supported: chat templates do not inherit");
    Symbols root{.function = &tree_.root};
    visit_all(root, tree_.body);
    tree_.root.body = &tree_.body;
    Frame frame{.symbols = &root, .top = true};
    bind_all(frame, tree_.body);
    tree_.root.scope = root.scope();
    for (Stmt* block : tree_.blocks) {
      Symbols symbols{.function = &block->function};
      if (!undeclared(block->body, {"self", "super"}).empty())
        throw tree_.source.error(
            block->at, "'self' and 'super' are not supported: chat templates do not inherit");
      visit_all(symbols, block->body);
      Frame inside{.symbols = &symbols};
      bind_all(inside, block->body);
      block->function.scope = symbols.scope();
      block->function.body = &block->body;
    }
  }

 private:
  struct Frame {
    Symbols* symbols = nullptr;
    bool top = false;   // the template's own level: assignments are visible to blocks
    bool soft = false;  // in a branch: an unknown filter is an error only when it is reached
  };

  // ---- first pass: FrameSymbolVisitor

  static void visit(Symbols& symbols, Expr* e) {
    each_expression(e, [&](Expr* x) {
      if (x->kind != ExprKind::name) return;
      if (x->use == NameUse::parameter) symbols.declare_parameter(x->name);
      else if (x->use == NameUse::store) symbols.store(x->name);
      else symbols.load(x->name);
    });
  }
  static void visit_as_parameters(Symbols& symbols, Expr* target) {
    each_expression(target, [&](Expr* x) {
      if (x->kind == ExprKind::name) symbols.declare_parameter(x->name);
    });
  }
  static void visit_all(Symbols& symbols, const std::vector<Stmt*>& body) {
    for (Stmt* s : body) visit(symbols, *s);
  }
  static void visit(Symbols& symbols, Stmt& s) {
    switch (s.kind) {
      case StmtKind::output:
        for (Expr* e : s.exprs) visit(symbols, e);
        break;
      case StmtKind::if_: {
        visit(symbols, s.test);
        Symbols body = symbols, elif = symbols, otherwise = symbols;
        // Branches number their variables apart; the function counts for all.
        visit_all(body, s.body);
        visit_all(elif, s.elif);
        visit_all(otherwise, s.otherwise);
        unify(symbols, body, elif, otherwise);
        break;
      }
      case StmtKind::for_:
        visit(symbols, s.expr);
        break;
      case StmtKind::set:
        visit(symbols, s.expr);
        visit(symbols, s.target);
        break;
      case StmtKind::set_block:
        visit(symbols, s.target);
        break;
      case StmtKind::macro:
        symbols.store(s.name);
        break;
      case StmtKind::call:
        visit(symbols, s.expr);
        break;
      case StmtKind::filter:
        visit(symbols, s.expr);
        break;
      case StmtKind::with:
        for (Expr* e : s.values) visit(symbols, e);
        break;
      default:
        break;
    }
  }

  // A name new in several branches has one variable: the first branch's.
  static void unify(Symbols& symbols, Symbols& body, Symbols& elif, Symbols& otherwise) {
    std::map<std::string_view, int> places;
    for (Symbols* branch : {&body, &elif, &otherwise})
      for (auto& [name, place] : branch->refs) {
        if (symbols.refs.count(name)) continue;
        const auto [known, fresh] = places.try_emplace(name, place);
        if (fresh || known->second == place) continue;
        Load load = branch->loads.at(place);
        branch->loads.erase(place);
        load.place = place = known->second;
        branch->loads[place] = load;
      }
    symbols.merge({&body, &elif, &otherwise});
  }

  // ---- second pass: what each name in an expression means

  void bind(const Frame& frame, Expr* e) {
    if (!e) return;
    switch (e->kind) {
      case ExprKind::name:
        if (!frame.symbols->find(e->name, e->slot, frame.symbols->level)) {
          frame.symbols->load(e->name);  // in a set block's filter, which jinja2 does not look at
          frame.symbols->find(e->name, e->slot, frame.symbols->level);
        }
        return;
      case ExprKind::conditional: {
        Frame soft = frame;
        soft.soft = true;
        for (Expr* part : {e->a, e->b, e->c}) bind(soft, part);
        return;
      }
      case ExprKind::filter:
        if (!e->filter && !frame.soft)
          throw tree_.source.error(e->at, "No filter named '" + std::string(e->name) + "'.");
        break;
      case ExprKind::test:
        if (!e->test && !frame.soft)
          throw tree_.source.error(e->at, "No test named '" + std::string(e->name) + "'.");
        break;
      default:
        break;
    }
    for (Expr* part : {e->a, e->b, e->c, e->star, e->double_star}) bind(frame, part);
    for (Expr* item : e->items) bind(frame, item);
    for (auto& [name, value] : e->named) bind(frame, value);
  }

  void bind_all(const Frame& frame, const std::vector<Stmt*>& body) {
    for (Stmt* s : body) bind(frame, *s);
  }

  static Symbols inner(Symbols* parent) {
    return {.parent = parent, .function = parent->function, .level = parent->level};
  }
  static Symbols inner(Symbols* parent, Function* function) {
    return {.parent = parent, .function = function, .level = parent->level + 1};
  }

  void bind(const Frame& frame, Stmt& s) {
    switch (s.kind) {
      case StmtKind::output:
        for (Expr* e : s.exprs) bind(frame, e);
        break;
      case StmtKind::if_: {
        Frame soft = frame;
        soft.soft = true;
        bind(soft, s.test);
        bind_all(soft, s.body);
        for (Stmt* branch : s.elif) {
          bind(soft, branch->test);
          bind_all(soft, branch->body);
        }
        bind_all(soft, s.otherwise);
        break;
      }
      case StmtKind::for_:
        bind_for(frame, s);
        break;
      case StmtKind::set:
        bind(frame, s.target);
        bind(frame, s.expr);
        note_exports(frame, s);
        break;
      case StmtKind::set_block: {
        Symbols symbols = inner(frame.symbols);
        visit_all(symbols, s.body);
        bind_all({&symbols}, s.body);
        bind(frame, s.target);
        bind({&symbols}, s.expr);
        s.scope = symbols.scope();
        note_exports(frame, s);
        break;
      }
      case StmtKind::macro:
        bind_function(frame, s, s.name);
        bind(frame, s.target);
        note_exports(frame, s);
        break;
      case StmtKind::call:
        bind_function(frame, s, {});
        bind(frame, s.expr);
        break;
      case StmtKind::generation:
        bind_function(frame, s, {});
        break;
      case StmtKind::filter: {
        Symbols symbols = inner(frame.symbols);
        visit_all(symbols, s.body);
        visit(symbols, s.expr);
        bind_all({&symbols}, s.body);
        bind({&symbols}, s.expr);
        s.scope = symbols.scope();
        break;
      }
      case StmtKind::with: {
        Symbols symbols = inner(frame.symbols);
        for (Expr* target : s.exprs) visit(symbols, target);
        visit_all(symbols, s.body);
        for (Expr* target : s.exprs) bind({&symbols}, target);
        for (Expr* value : s.values) bind(frame, value);
        bind_all({&symbols}, s.body);
        s.scope = symbols.scope();
        break;
      }
      case StmtKind::block:
        if (s.scoped)
          throw tree_.source.error(
              s.at, "scoped blocks are not supported: chat templates do not inherit");
        break;
      default:
        break;
    }
  }

  void bind_for(const Frame& frame, Stmt& s) {
    each_in_statement(
        s,
        [&](Expr* e) {
          if (e->kind == ExprKind::name && e->use == NameUse::store && e->name == "loop")
            throw tree_.source.error(e->at,
                                     "Can't assign to special loop variable in for-loop target");
        },
        [](const Stmt&) { return true; });
    s.extended = s.recursive || !undeclared(s.body, {"loop"}).empty();
    Symbols body = s.recursive ? inner(frame.symbols, &s.function) : inner(frame.symbols);
    if (s.extended) s.loop_place = body.declare_parameter("loop");
    visit_as_parameters(body, s.target);
    visit_all(body, s.body);
    Symbols test = s.recursive ? inner(frame.symbols, &s.function) : inner(frame.symbols);
    if (s.test) {
      visit_as_parameters(test, s.target);
      visit(test, s.test);
    }
    Symbols otherwise = s.recursive ? inner(frame.symbols, &s.function) : inner(frame.symbols);
    visit_all(otherwise, s.otherwise);

    bind(frame, s.expr);
    bind({&body}, s.target);
    bind_all({&body}, s.body);
    if (s.test) {
      // The target's places in the test are others than in the body: the test may run ahead.
      each_expression(s.target, [&](Expr* e) {
        if (e->kind != ExprKind::name) return;
        Slot slot;
        test.find(e->name, slot, test.level);
        test_places_.push_back(slot.place);
      });
      bind({&test}, s.test);
      s.function.parameter_places = std::exchange(test_places_, {});
      s.test_scope = test.scope();
    }
    bind_all({&otherwise}, s.otherwise);
    s.scope = body.scope();
    s.else_scope = otherwise.scope();
  }

  void bind_function(const Frame& frame, Stmt& s, std::string_view name) {
    Function& f = s.function;
    f.name = name;
    f.body = &s.body;
    f.defaults = s.values;
    Symbols symbols = inner(frame.symbols, &f);
    for (Expr* parameter : s.exprs) visit(symbols, parameter);
    for (Expr* value : s.values) visit(symbols, value);
    visit_all(symbols, s.body);
    const auto special = undeclared(s.body, {"caller", "kwargs", "varargs"});
    const auto is_parameter = [&](std::string_view word) {
      return std::any_of(s.exprs.begin(), s.exprs.end(),
                         [&](const Expr* e) { return e->name == word; });
    };
    f.explicit_caller = is_parameter("caller");
    if (special.count("caller")) {
      f.wants_caller = true;
      if (f.explicit_caller) {
        const auto at = std::find_if(s.exprs.begin(), s.exprs.end(),
                                     [](const Expr* e) { return e->name == "caller"; });
        if (static_cast<size_t>(s.exprs.end() - at) > s.values.size())
          throw tree_.source.error(
              s.at,
              "When defining macros or call blocks the special \"caller\" argument must be "
              "omitted or be given a default.");
      } else {
        f.caller_place = symbols.declare_parameter("caller");
      }
    }
    if (special.count("kwargs") && !is_parameter("kwargs")) {
      f.wants_kwargs = true;
      f.kwargs_place = symbols.declare_parameter("kwargs");
    }
    if (special.count("varargs") && !is_parameter("varargs")) {
      f.wants_varargs = true;
      f.varargs_place = symbols.declare_parameter("varargs");
    }
    for (Expr* parameter : s.exprs) {
      bind({&symbols}, parameter);
      f.parameters.push_back(parameter->name);
      f.parameter_places.push_back(parameter->slot.place);
    }
    for (Expr* value : s.values) bind({&symbols}, value);
    bind_all({&symbols}, s.body);
    f.scope = symbols.scope();
  }

  void note_exports(const Frame& frame, Stmt& s) {
    if (!frame.top || tree_.blocks.empty()) return;
    each_expression(s.target, [&](Expr* e) {
      if (e->kind != ExprKind::name) return;
      s.exports.push_back(e->name);
      s.export_slots.push_back(e->slot);
    });
  }

  Tree& tree_;
  std::vector<int> test_places_ = {};
};

}  // namespace

void analyze(Tree& tree) { Analyzer(tree).run(); }

}  // namespace helio::text::jinja
