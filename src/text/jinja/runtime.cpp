#include "text/jinja/runtime.h"

#include <algorithm>

namespace helio::text::jinja {

void fail(std::string message) { throw Failure{.message = std::move(message)}; }
void fail_limit(std::string message) {
  throw Failure{.message = std::move(message), .refused = true};
}

void Arena::refuse() { fail_limit("the template makes too much data"); }

void Arena::grow(size_t size) {
  const size_t next =
      chunks_.empty() ? 16 << 10 : std::min<size_t>(1 << 20, used_ / 2 + (16 << 10));
  const size_t chunk = std::max(size, next);
  if (used_ + chunk > limit_ && used_ + size > limit_) refuse();
  chunks_.emplace_back(new char[chunk]);
  used_ += chunk;
  top_ = chunks_.back().get();
  left_ = chunk;
}

// Text that was joined from parts and may be joined with more: s = s + part in a loop then takes
// the time of the parts alone.
struct Room {
  size_t used = 0, capacity = 0;
};

Value Runtime::text(std::string_view bytes) {
  char* data = arena.bytes(bytes.size());
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return literal({data, bytes.size()});
}

Value Runtime::literal(std::string_view bytes) {
  return Value::text_of(arena.make<Text>(bytes.data(), bytes.size()));
}

Value Runtime::character(char32_t code) {
  std::string bytes;
  append_utf8(bytes, code);
  return text(bytes);
}

Value Runtime::list(const Value* data, size_t size) {
  return Value::items_of(Kind::list, arena.make<Items>(data, size));
}

Value Runtime::tuple(const Value* data, size_t size) {
  return Value::items_of(Kind::tuple, arena.make<Items>(data, size));
}

Value Runtime::pair(const Value& a, const Value& b) {
  Value* both = arena.array<Value>(2);
  both[0] = a;
  both[1] = b;
  return tuple(both, 2);
}

Value Runtime::undefined(std::string_view message) {
  Value v = Value::of(Kind::undefined);
  const Value copy = text(message);
  v.undefined = arena.make<Undefined>(copy.string(), std::string_view());
  return v;
}

namespace {

std::string described(const Value& object) {
  if (object.is(Kind::none)) return "None";
  if (object.is(Kind::undefined)) return "Undefined";
  return std::string(type_name(object)) + " object";
}

}  // namespace

Value Runtime::missing_attribute(const Value& object, std::string_view name) {
  return undefined("'" + described(object) + "' has no attribute '" + std::string(name) + "'");
}

Value Runtime::missing_element(const Value& object, const Value& key) {
  if (key.is_string()) return missing_attribute(object, key.string());
  std::string shown;
  append_repr(*this, shown, key);
  return undefined(described(object) + " has no element " + shown);
}

Value Runtime::concat(const Value& a, const Value& b) {
  const Text &left = *a.text, &right = *b.text;
  if (left.size == 0) return b;
  if (right.size == 0) return a;
  const size_t size = left.size + right.size;
  charge_bytes(right.size);
  Room* room = left.room;
  const char* data = left.data;
  if (room && room->used == left.size && room->capacity >= size) {
    std::memcpy(const_cast<char*>(data) + left.size, right.data, right.size);
    room->used = size;
  } else {
    const size_t capacity = size < 64 ? size : size * 2;
    if (capacity > size) arena.check(capacity);
    charge_bytes(left.size);
    char* fresh = arena.bytes(capacity);
    std::memcpy(fresh, left.data, left.size);
    std::memcpy(fresh + left.size, right.data, right.size);
    room = capacity > size ? arena.make<Room>(size, capacity) : nullptr;
    data = fresh;
  }
  const int64_t characters =
      left.characters >= 0 && right.characters >= 0 ? left.characters + right.characters : -1;
  return Value::text_of(arena.make<Text>(data, size, characters, room));
}

void ValueList::grow() {
  Value* larger = rt_.arena.array<Value>(capacity_ * 2);
  std::copy(data_, data_ + size_, larger);
  data_ = larger;
  capacity_ *= 2;
}

}  // namespace helio::text::jinja
