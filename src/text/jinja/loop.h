// The `loop` variable of a for block.
#pragma once

#include "text/jinja/ast.h"

namespace helio::text::jinja {

// Variables of one run of a function.
struct Activation {
  Activation* outer = nullptr;  // of the function around
  Value* slots = nullptr;
};

struct Macro {
  const Function* function = nullptr;
  Activation* outer = nullptr;
};

struct Loop {
  Value iterable = {};
  Iterator* iterator = nullptr;
  int64_t index0 = -1, length = -1, depth0 = 0;
  Value after = {}, current = {}, before = {}, changed = {};
  const Stmt* recursive = nullptr;
  Activation* outer = nullptr;

  bool next(Value& out);  // the next turn
  const Value& peek();    // missing at the end
};
int64_t loop_length(Runtime& rt, Loop& loop);
Value loop_attribute(Runtime& rt, Loop& loop, std::string_view name);  // missing: there is none

}  // namespace helio::text::jinja
