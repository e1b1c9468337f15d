// Going through values one by one, as Python's iter().
#include "text/jinja/runtime.h"

namespace helio::text::jinja {
namespace {

class OverItems final : public Iterator {
 public:
  explicit OverItems(Items items) : items_(items) { type = "list_iterator"; }
  bool next(Value& out) override {
    if (at_ == items_.size) return false;
    out = items_.data[at_++];
    return true;
  }

 private:
  Items items_;
  size_t at_ = 0;
};

class OverText final : public Iterator {
 public:
  OverText(Runtime& rt, const Text& text) : rt_(&rt), text_(&text) { type = "str_iterator"; }
  bool next(Value& out) override {
    if (at_ >= text_->size) return false;
    const auto point = decode_utf8(text_->view(), at_);
    Text* one = rt_->arena.make<Text>(text_->data + at_, size_t(point.size), int64_t(1));
    at_ += point.size;
    out = Value::text_of(one);
    return true;
  }

 private:
  Runtime* rt_;
  const Text* text_;
  size_t at_ = 0;
};

class OverDict final : public Iterator {
 public:
  OverDict(Runtime& rt, View view) : rt_(&rt), view_(view) { type = "dict_keyiterator"; }
  bool next(Value& out) override {
    if (at_ >= view_.dict->size) return false;
    const Entry& entry = view_.dict->entries[at_++];
    out = view_.of == ViewOf::keys     ? entry.key
          : view_.of == ViewOf::values ? entry.value
                                       : rt_->pair(entry.key, entry.value);
    return true;
  }

 private:
  Runtime* rt_;
  View view_;
  size_t at_ = 0;
};

class OverRange final : public Iterator {
 public:
  explicit OverRange(const Range& range) : range_(range) { type = "range_iterator"; }
  bool next(Value& out) override {
    if (at_ >= range_.size) return false;
    out = Value::integer_of(range_.at(at_++));
    return true;
  }

 private:
  Range range_;
  int64_t at_ = 0;
};

}  // namespace

Iterator* loop_iterator(Runtime& rt, Loop& loop);

Iterator* iterate(Runtime& rt, const Value& value) {
  switch (value.kind) {
    case Kind::undefined:
      return rt.arena.make<OverItems>(Items{});
    case Kind::list:
    case Kind::tuple:
      return rt.arena.make<OverItems>(*value.items);
    case Kind::string:
      return rt.arena.make<OverText>(rt, *value.text);
    case Kind::dict:
      return rt.arena.make<OverDict>(rt, View{value.dict, ViewOf::keys});
    case Kind::view:
      return rt.arena.make<OverDict>(rt, *value.view);
    case Kind::range:
      return rt.arena.make<OverRange>(*value.range);
    case Kind::iterator:
      return value.iterator;
    case Kind::loop:
      return loop_iterator(rt, *value.loop);
    default:
      fail("'" + std::string(type_name(value)) + "' object is not iterable");
  }
}

ValueList collect(Runtime& rt, const Value& value) {
  ValueList all(rt, value.is_sequence() ? value.items->size + 1 : 8);
  Iterator* it = iterate(rt, value);
  for (Value next; it->next(next);) {
    rt.charge(1);
    all.push(next);
  }
  return all;
}

}  // namespace helio::text::jinja
