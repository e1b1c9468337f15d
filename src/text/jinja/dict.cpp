// Dictionaries: in insertion order, keys equal as in Python (1, 1.0 and True are one key).
#include <cmath>
#include <functional>

#include "core/hash.h"
#include "text/jinja/runtime.h"

namespace helio::text::jinja {
namespace {

constexpr size_t kSmall = 8;  // looked through one by one

uint64_t mix(uint64_t h) {
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 33;
  return h;
}

uint64_t hash_text(std::string_view text) { return xxh3_64(text, 0); }

uint64_t hash_double(double d) {
  if (d == std::floor(d) && std::abs(d) < 9.2e18)
    return mix(static_cast<uint64_t>(static_cast<int64_t>(d)));
  uint64_t bits = 0;
  std::memcpy(&bits, &d, sizeof bits);
  return mix(bits);
}

void index_all(Runtime& rt, Dict& dict) {
  dict.slots = dict.capacity * 2;
  dict.index = rt.arena.array<uint32_t>(dict.slots);
  for (size_t i = 0; i < dict.size; ++i) {
    size_t at = hash_of(rt, dict.entries[i].key) & (dict.slots - 1);
    while (dict.index[at]) at = (at + 1) & (dict.slots - 1);
    dict.index[at] = static_cast<uint32_t>(i + 1);
  }
}

}  // namespace

bool is_hashable(const Value& value) {
  switch (value.kind) {
    case Kind::list:
    case Kind::dict:
    case Kind::view:
      return false;
    case Kind::tuple:
      for (size_t i = 0; i < value.items->size; ++i)
        if (!is_hashable(value.items->data[i])) return false;
      return true;
    default:
      return true;
  }
}

uint64_t hash_of(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::string:
      return hash_text(value.string());
    case Kind::boolean:
    case Kind::integer:
      return mix(static_cast<uint64_t>(value.as_integer()));
    case Kind::floating:
      return hash_double(value.floating);
    case Kind::none:
    case Kind::undefined:
      return 17;
    case Kind::range:
      return 19 + static_cast<uint64_t>(value.range->size);
    case Kind::tuple: {
      const Deeper deeper(rt);
      uint64_t h = value.items->size;
      for (size_t i = 0; i < value.items->size; ++i)
        h = mix(h * 31 + hash_of(rt, value.items->data[i]));
      return h;
    }
    case Kind::list:
    case Kind::dict:
    case Kind::view:
      fail("unhashable type: '" + std::string(type_name(value)) + "'");
    default:
      return mix(static_cast<uint64_t>(value.integer));
  }
}

const Value* find(const Dict& dict, std::string_view key) {
  if (!dict.index) {
    for (size_t i = 0; i < dict.size; ++i)
      if (dict.entries[i].key.is_string() && dict.entries[i].key.string() == key)
        return &dict.entries[i].value;
    return nullptr;
  }
  for (size_t at = hash_text(key) & (dict.slots - 1); dict.index[at];
       at = (at + 1) & (dict.slots - 1)) {
    const Entry& entry = dict.entries[dict.index[at] - 1];
    if (entry.key.is_string() && entry.key.string() == key) return &entry.value;
  }
  return nullptr;
}

const Value* find(Runtime& rt, const Dict& dict, const Value& key) {
  if (key.is_string()) return find(dict, key.string());
  if (!is_hashable(key)) fail("unhashable type: '" + std::string(type_name(key)) + "'");
  if (!dict.index) {
    for (size_t i = 0; i < dict.size; ++i)
      if (same(dict.entries[i].key, key) || equal(rt, dict.entries[i].key, key))
        return &dict.entries[i].value;
    return nullptr;
  }
  for (size_t at = hash_of(rt, key) & (dict.slots - 1); dict.index[at];
       at = (at + 1) & (dict.slots - 1)) {
    const Entry& entry = dict.entries[dict.index[at] - 1];
    if (same(entry.key, key) || equal(rt, entry.key, key)) return &entry.value;
  }
  return nullptr;
}

Dict* new_dict(Runtime& rt, size_t capacity) {
  Dict* dict = rt.arena.make<Dict>();
  dict->capacity = 4;
  while (dict->capacity < capacity) dict->capacity *= 2;
  dict->entries = rt.arena.array<Entry>(dict->capacity);
  return dict;
}

void put(Runtime& rt, Dict& dict, const Value& key, const Value& value) {
  rt.charge(1);
  if (const Value* old = find(rt, dict, key)) {
    *const_cast<Value*>(old) = value;
    return;
  }
  if (dict.size == dict.capacity) {
    const size_t capacity = dict.capacity ? dict.capacity * 2 : 4;
    Entry* larger = rt.arena.array<Entry>(capacity);
    for (size_t i = 0; i < dict.size; ++i) larger[i] = dict.entries[i];
    dict.entries = larger;
    dict.capacity = capacity;
    if (dict.index) index_all(rt, dict);
  }
  dict.entries[dict.size++] = {key, value};
  if (dict.index) {
    size_t at = hash_of(rt, key) & (dict.slots - 1);
    while (dict.index[at]) at = (at + 1) & (dict.slots - 1);
    dict.index[at] = static_cast<uint32_t>(dict.size);
  } else if (dict.size > kSmall) {
    index_all(rt, dict);
  }
}

}  // namespace helio::text::jinja
