// Values of a template: Python's, as far as templates see them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/jinja/arena.h"
#include "text/utf8.h"

namespace helio::text::jinja {

enum class Kind : uint8_t {
  missing,  // a variable that has no value yet; never seen by a template
  undefined,
  none,
  boolean,
  integer,
  floating,
  string,
  list,
  tuple,
  dict,
  range,
  iterator,  // generators: run once, when asked
  view,      // dict.keys() and the like
  names,     // namespace()
  macro,
  callable,  // a bound method or global function
  loop,
  cycler,
  joiner,
};

enum class Mark : uint8_t { none, safe, group };  // of a string: Markup; of a tuple: groupby's

struct Text {
  const char* data = nullptr;
  size_t size = 0;
  mutable int64_t characters = -1;  // counted when first asked
  struct Room* room = nullptr;      // where it may grow, when it was joined from parts

  std::string_view view() const { return {data, size}; }
  int64_t length() const {
    if (characters < 0) characters = count_code_points(view());
    return characters;
  }
  bool ascii() const { return static_cast<size_t>(length()) == size; }
};

struct Value;
struct Dict;
struct Undefined {
  std::string_view message = {};  // what an operation on it says
  std::string_view name = {};     // or the variable's name
};
struct Range {
  int64_t start = 0, stop = 0, step = 1, size = 0;
  int64_t at(int64_t index) const { return start + index * step; }
};
class Iterator;
struct Macro;
class Callable;
struct Loop;
struct Names;
struct Cycler;
struct Joiner;
struct Items {
  const Value* data = nullptr;
  size_t size = 0;
};
enum class ViewOf : uint8_t { keys, values, items };
struct View {
  const Dict* dict = nullptr;
  ViewOf of = ViewOf::keys;
};

struct Value {
  Kind kind = Kind::missing;
  Mark mark = Mark::none;
  union {
    int64_t integer = 0;
    bool boolean;
    double floating;
    const Text* text;
    const Items* items;
    const Dict* dict;
    const Range* range;
    const Undefined* undefined;
    const View* view;
    Iterator* iterator;
    Names* names;
    const Macro* macro;
    const Callable* callable;
    Loop* loop;
    Cycler* cycler;
    Joiner* joiner;
  };

  static Value none() { return of(Kind::none); }
  static Value of(Kind kind) {
    Value v;
    v.kind = kind;
    return v;
  }
  static Value of(bool b) = delete;
  static Value boolean_of(bool b) {
    Value v = of(Kind::boolean);
    v.integer = 0;
    v.boolean = b;
    return v;
  }
  static Value integer_of(int64_t i) {
    Value v = of(Kind::integer);
    v.integer = i;
    return v;
  }
  static Value floating_of(double d) {
    Value v = of(Kind::floating);
    v.floating = d;
    return v;
  }
  static Value text_of(const Text* text) {
    Value v = of(Kind::string);
    v.text = text;
    return v;
  }
  static Value items_of(Kind kind, const Items* items) {
    Value v = of(kind);
    v.items = items;
    return v;
  }
  static Value dict_of(const Dict* dict) {
    Value v = of(Kind::dict);
    v.dict = dict;
    return v;
  }

  bool is(Kind k) const { return kind == k; }
  bool is_string() const { return kind == Kind::string; }
  bool is_integral() const { return kind == Kind::integer || kind == Kind::boolean; }
  bool is_number() const { return is_integral() || kind == Kind::floating; }
  bool is_sequence() const { return kind == Kind::list || kind == Kind::tuple; }
  int64_t as_integer() const { return kind == Kind::boolean ? int64_t(boolean) : integer; }
  double as_double() const {
    return kind == Kind::floating ? floating : static_cast<double>(as_integer());
  }
  std::string_view string() const { return text->view(); }
};
static_assert(sizeof(Value) == 16);

struct Entry {
  Value key = {}, value = {};
};
// In insertion order, with an index once it is large. Complete when a template sees it.
struct Dict {
  Entry* entries = nullptr;
  size_t size = 0, capacity = 0;
  uint32_t* index = nullptr;  // open addressing: 1 + place
  size_t slots = 0;
};

// Something to run through once.
class Iterator {
 public:
  virtual bool next(Value& out) = 0;  // false at the end
  const char* type = "generator";

 protected:
  ~Iterator() = default;
};

struct Names {  // namespace(): the only value that changes
  Dict dict = {};
  bool printing = false;
};
struct Cycler {
  Items items = {};
  size_t at = 0;
};
struct Joiner {
  Value separator = {};
  bool used = false;
};

}  // namespace helio::text::jinja
