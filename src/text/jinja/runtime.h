// What functions of a template work with: memory, limits, text building, and calls back into
// templates.
#pragma once

#include <ctime>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "text/jinja/value.h"

namespace helio::text::jinja {

struct Limits {
  int64_t steps = 50'000'000;         // expressions, loop turns, and bytes worked on / 64
  size_t output = size_t(64) << 20;   // bytes of text
  size_t memory = size_t(512) << 20;  // bytes of values made
  int depth = 1000;                   // nested evaluations and calls
  int64_t range = 100'000;            // as jinja2's sandbox
};

struct Named {
  std::string_view name = {};
  Value value = {};
};
struct Arguments {
  const Value* data = nullptr;
  size_t size = 0;
  const Named* named = nullptr;
  size_t named_size = 0;

  const Value& operator[](size_t i) const { return data[i]; }
  const Value* find(std::string_view name) const {
    for (size_t i = 0; i < named_size; ++i)
      if (named[i].name == name) return &named[i].value;
    return nullptr;
  }
  Arguments without_first(size_t n = 1) const { return {data + n, size - n, named, named_size}; }
};

class Runtime {
 public:
  Runtime(const Limits& limits, std::function<std::tm()> now)
      : limits(limits), arena(limits.memory), now(std::move(now)) {}
  Runtime(const Runtime&) = delete;
  virtual ~Runtime() = default;

  void charge(int64_t steps) {
    steps_ += steps;
    if (steps_ > limits.steps) fail_limit("the template does not come to an end");
  }
  void charge_bytes(size_t bytes) { charge(static_cast<int64_t>(bytes / 64) + 1); }

  Value text(std::string_view bytes);     // copies
  Value literal(std::string_view bytes);  // points to bytes that live long enough
  Value character(char32_t code);
  Value list(const Value* data, size_t size);  // takes the array
  Value tuple(const Value* data, size_t size);
  Value pair(const Value& a, const Value& b);
  Value undefined(std::string_view message);  // copies
  Value missing_attribute(const Value& object, std::string_view name);
  Value missing_element(const Value& object, const Value& key);
  Value concat(const Value& a, const Value& b);  // of strings; grows in place where it can
  Value callable(const Callable* function) {
    Value v = Value::of(Kind::callable);
    v.callable = function;
    return v;
  }
  Value iterator(Iterator* it) {
    Value v = Value::of(Kind::iterator);
    v.iterator = it;
    return v;
  }

  // Calls a value; not callable: failure.
  virtual Value call(const Value& callee, const Arguments& arguments) = 0;

  const Limits& limits;
  Arena arena;
  std::function<std::tm()> now;
  int depth = 0;

 private:
  int64_t steps_ = 0;
};

struct Deeper {  // guards the C++ stack
  explicit Deeper(Runtime& rt) : rt(rt) {
    if (++rt.depth > rt.limits.depth) {
      --rt.depth;
      fail_limit("the template nests too deeply");
    }
  }
  ~Deeper() { --rt.depth; }
  Deeper(const Deeper&) = delete;
  Runtime& rt;
};

// A growing array in the arena.
class ValueList {
 public:
  explicit ValueList(Runtime& rt, size_t capacity = 8)
      : rt_(rt), data_(rt.arena.array<Value>(capacity)), capacity_(capacity) {}
  void push(const Value& value) {
    if (size_ == capacity_) grow();
    data_[size_++] = value;
  }
  Value* data() { return data_; }
  size_t size() const { return size_; }
  Value as_list() { return rt_.list(data_, size_); }
  Value as_tuple() { return rt_.tuple(data_, size_); }
  Value& operator[](size_t i) { return data_[i]; }

 private:
  void grow();
  Runtime& rt_;
  Value* data_;
  size_t size_ = 0, capacity_;
};

class Callable {
 public:
  virtual Value call(Runtime& rt, const Arguments& arguments) const = 0;
  virtual std::string describe() const = 0;  // its repr

 protected:
  ~Callable() = default;
};

// ---- values (values.cpp)
std::string_view type_name(const Value& value);  // "str", "NoneType"
bool truth(Runtime& rt, const Value& value);
void append_text(Runtime& rt, std::string& out, const Value& value);  // Python's str()
void append_repr(Runtime& rt, std::string& out, const Value& value);
std::string text_of(Runtime& rt, const Value& value);
Value to_text(Runtime& rt, const Value& value);  // str(value); strings as they are
std::string float_repr(double value);
bool equal(Runtime& rt, const Value& a, const Value& b);
bool same(const Value& a, const Value& b);  // Python's `is`
enum class Order : uint8_t { less, equal, greater, unordered };
// Fails for kinds that have no order; `op` names the operator in the message.
Order order(Runtime& rt, const Value& a, const Value& b, const char* op);
bool contains(Runtime& rt, const Value& container, const Value& item);
int64_t length_of(Runtime& rt, const Value& value);
bool has_length(const Value& value);
bool is_iterable(const Value& value);
bool is_callable(const Value& value);

// ---- dicts (dict.cpp)
const Value* find(Runtime& rt, const Dict& dict, const Value& key);  // unhashable key: failure
const Value* find(const Dict& dict, std::string_view key);
bool is_hashable(const Value& value);
uint64_t hash_of(Runtime& rt, const Value& value);
void put(Runtime& rt, Dict& dict, const Value& key, const Value& value);
Dict* new_dict(Runtime& rt, size_t capacity);

// ---- iteration (iterate.cpp)
// An iterator over any iterable; not iterable: failure.
Iterator* iterate(Runtime& rt, const Value& value);
ValueList collect(Runtime& rt, const Value& value);  // list(value)

// ---- operators (operators.cpp)
enum class Binary : uint8_t { add, sub, mul, div, floordiv, mod, pow };
Value binary(Runtime& rt, Binary op, const Value& a, const Value& b);
Value negate(const Value& a);
Value positive(const Value& a);

// ---- attributes and items (attributes.cpp)
Value get_attribute(Runtime& rt, const Value& object, std::string_view name);
Value get_item(Runtime& rt, const Value& object, const Value& key);
Value get_slice(Runtime& rt, const Value& object, const Value& start, const Value& stop,
                const Value& step);
// Python's getattr alone: missing when there is none.
Value own_attribute(Runtime& rt, const Value& object, std::string_view name);

// ---- arguments (arguments.cpp)
struct Parameter {
  const char* name;
  bool required = false;
};
// Places positional and named arguments; ones not given stay `missing`.
void bind(const char* function, const Arguments& arguments,
          std::initializer_list<Parameter> parameters, Value* out);
int64_t index_argument(const Value& value);  // an int, as Python's __index__
const Value& require_string(const Value& value, const char* what);

// ---- methods (string_methods.cpp, other_methods.cpp)
using Method = Value (*)(Runtime& rt, const Value& self, const Arguments& arguments);
Method string_method(std::string_view name);
Method list_method(std::string_view name, Kind kind);  // lists, tuples, ranges
Method dict_method(std::string_view name);
Method number_method(std::string_view name, Kind kind);

// ---- formatting (format_percent.cpp, format_braces.cpp, to_json.cpp, strftime.cpp)
Value format_percent(Runtime& rt, const Value& format, const Value& values);
Value format_braces(Runtime& rt, const Value& format, const Arguments& arguments);
std::string format_spec(Runtime& rt, const Value& value, std::string_view spec);
Value to_json(Runtime& rt, const Value& value, const Arguments& arguments);

// ---- filters and tests (filters*.cpp, tests.cpp)
using Filter = Value (*)(Runtime& rt, const Value& input, const Arguments& arguments);
Filter find_filter(std::string_view name);  // null: there is none
using Test = bool (*)(Runtime& rt, const Value& input, const Arguments& arguments);
Test find_test(std::string_view name);
Value escape_html(Runtime& rt, const Value& value);  // Markup

// ---- global functions (globals.cpp)
Value find_global(Runtime& rt, std::string_view name);  // missing: there is none
Value call_cycler(Runtime& rt, Cycler& cycler, std::string_view name, const Arguments& arguments);

}  // namespace helio::text::jinja
