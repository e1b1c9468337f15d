// Runs a parsed template.
#pragma once

#include "text/jinja/loop.h"
#include "text/jinja/template.h"

namespace helio::text::jinja {

class Renderer final : public Runtime {
 public:
  Renderer(const Tree& tree, const RenderOptions& options);

  // Error{invalid} with the place of what failed.
  Rendered render(const Dict& variables);
  Value call(const Value& callee, const Arguments& arguments) override;

 private:
  enum class Flow : uint8_t { on, stop, next };  // stop: break; next: continue
  class FilteredLoop;
  struct CallArguments;

  // statements (renderer.cpp)
  Flow run(const std::vector<Stmt*>& body, Activation& act);
  Flow run(const Stmt& s, Activation& act);
  Flow run_if(const Stmt& s, Activation& act);
  Flow run_for(const Stmt& s, Activation& act);
  Flow run_loop(const Stmt& s, const Value& iterable, Activation& act, Loop* loop);
  Value run_recursive(const Stmt& s, const Value& iterable, Activation& outer, int64_t depth0);
  Flow run_set_block(const Stmt& s, Activation& act);
  Flow run_filter(const Stmt& s, Activation& act);
  Flow run_with(const Stmt& s, Activation& act);
  void run_call(const Stmt& s, Activation& act);
  void run_generation(const Stmt& s, Activation& act);
  void run_block(const Stmt& s);
  void output(const Stmt& s, Activation& act);
  void enter(const Scope& scope, Activation& act);
  static void leave(const Scope& scope, Activation& act);
  Activation& activate(const Function& function, Activation* outer);
  Value resolve(std::string_view name);
  void assign(const Expr& target, const Value& value, Activation& act);
  void assign_places(const Expr& target, const Value& value, Activation& act, const int*& places);
  void check_names(const Expr& target, Activation& act);
  void export_names(const Stmt& s, Activation& act);
  std::vector<Value> unpack(const Value& value, size_t count);
  Value call_macro(const Macro& macro, const Arguments& arguments);
  Value call_loop(Loop& loop, const Arguments& arguments);

  struct Capture {
    size_t begin = 0;
  };
  Capture begin_capture();
  Value end_capture(const Capture& capture);
  int64_t characters_before(size_t bytes);
  void check_output() const {
    if (out_.size() > limits.output) fail_limit("the template's text is too long");
  }

  // expressions (evaluate.cpp)
  Value evaluate(const Expr& e, Activation& act);
  Value evaluate_other(const Expr& e, Activation& act);
  Value evaluate_compare(const Expr& e, Activation& act);
  bool compare(Compare op, const Value& a, const Value& b);
  Value evaluate_call(const Expr& e, Activation& act, const Value* caller);
  Value evaluate_filter(const Expr& e, Activation& act);
  Value evaluate_item(const Expr& e, Activation& act);
  Value evaluate_concat(const Expr& e, Activation& act);
  Value& slot(const Slot& s, Activation& act) {
    Activation* at = &act;
    for (int i = 0; i < s.outward; ++i) at = at->outer;
    return at->slots[s.place];
  }
  bool is_true(const Value& value) { return truth(*this, value); }

  const Tree& tree_;
  const Dict* variables_ = nullptr;
  std::string out_ = {};
  uint32_t at_ = 0;   // of what runs now, for errors
  int captures_ = 0;  // text being caught rather than given out
  size_t given_ = 0;  // bytes of out_ before the outermost catch
  size_t counted_bytes_ = 0;
  int64_t counted_characters_ = 0;
  std::vector<Span> spans_ = {};
  Value block_text_ = {};  // what the innermost filter of a block gets
  Dict exports_ = {};
};

}  // namespace helio::text::jinja
