// Filters that give a generator: it works when it is gone through, and once.
#include "text/jinja/filters.h"

namespace helio::text::jinja {
namespace {

// Arguments outlive their call here.
Arguments keep(Runtime& rt, const Arguments& a) {
  Value* values = rt.arena.array<Value>(a.size);
  std::copy(a.data, a.data + a.size, values);
  Named* named = rt.arena.array<Named>(a.named_size);
  std::copy(a.named, a.named + a.named_size, named);
  return {values, a.size, named, a.named_size};
}

class Lazy : public Iterator {
 public:
  Lazy(Runtime* rt, const Value& input) : rt_(rt), input_(input) {}
  bool next(Value& out) final {
    const Deeper deeper(*rt_);
    rt_->charge(1);
    return step(out);
  }

 protected:
  ~Lazy() = default;
  virtual bool step(Value& out) = 0;
  bool next_input(Value& out) {
    if (!source_) source_ = iterate(*rt_, input_);
    return source_->next(out);
  }
  Runtime* rt_;
  Value input_;

 private:
  Iterator* source_ = nullptr;
};

class Map final : public Lazy {
 public:
  Map(Runtime* rt, const Value& input, const Arguments& a)
      : Lazy(rt, input), arguments_(a), path_(*rt, Value()) {}

 protected:
  bool step(Value& out) override {
    if (!ready_) prepare();
    if (empty_ || !next_input(out)) return false;
    if (filter_) out = filter_(*rt_, out, arguments_.without_first());
    else out = path_.get(*rt_, out, otherwise_);
    return true;
  }

 private:
  void prepare() {
    ready_ = true;
    empty_ = !truth(*rt_, input_);
    if (empty_) return;
    const Value* attribute = arguments_.find("attribute");
    if (arguments_.size == 0 && attribute) {
      for (size_t i = 0; i < arguments_.named_size; ++i)
        if (arguments_.named[i].name != "attribute" && arguments_.named[i].name != "default")
          fail("Unexpected keyword argument '" + std::string(arguments_.named[i].name) + "'");
      path_ = AttributePath(*rt_, *attribute);
      if (const Value* otherwise = arguments_.find("default")) otherwise_ = *otherwise;
      return;
    }
    if (arguments_.size == 0) fail("map requires a filter argument");
    if (arguments_[0].is_string()) filter_ = find_filter(arguments_[0].string());
    if (!filter_) fail("No filter named '" + text_of(*rt_, arguments_[0]) + "'.");
  }

  Arguments arguments_;
  AttributePath path_;
  Value otherwise_ = {};
  Filter filter_ = nullptr;
  bool ready_ = false, empty_ = false;
};

enum class Choose : uint8_t { select, reject };
class Select final : public Lazy {
 public:
  Select(Runtime* rt, const Value& input, const Arguments& a, Choose choose, bool attribute)
      : Lazy(rt, input),
        arguments_(a),
        path_(*rt, Value()),
        choose_(choose),
        attribute_(attribute) {}

 protected:
  bool step(Value& out) override {
    if (!ready_) prepare();
    while (!empty_ && next_input(out)) {
      const Value tested = path_.get(*rt_, out);
      const bool good = test_ ? test_(*rt_, tested, rest_) : truth(*rt_, tested);
      if (good == (choose_ == Choose::select)) return true;
      rt_->charge(1);
    }
    return false;
  }

 private:
  void prepare() {
    ready_ = true;
    empty_ = !truth(*rt_, input_);
    if (empty_) return;
    rest_ = arguments_;
    if (attribute_) {
      if (rest_.size == 0) fail("Missing parameter for attribute name");
      path_ = AttributePath(*rt_, rest_[0]);
      rest_ = rest_.without_first();
    }
    if (rest_.size == 0) return;
    if (rest_[0].is_string()) test_ = find_test(rest_[0].string());
    if (!test_) fail("No test named '" + text_of(*rt_, rest_[0]) + "'.");
    rest_ = rest_.without_first();
  }

  Arguments arguments_, rest_ = {};
  AttributePath path_;
  Test test_ = nullptr;
  Choose choose_;
  bool attribute_, ready_ = false, empty_ = false;
};

class Unique final : public Lazy {
 public:
  Unique(Runtime* rt, const Value& input, bool keep_case, const AttributePath& path)
      : Lazy(rt, input), keep_case_(keep_case), path_(path) {}

 protected:
  bool step(Value& out) override {
    while (next_input(out)) {
      Value key = path_.get(*rt_, out);
      if (!keep_case_) key = ignore_case(*rt_, key);
      if (find(*rt_, seen_, key)) {
        rt_->charge(1);
        continue;
      }
      put(*rt_, seen_, key, Value::none());
      return true;
    }
    return false;
  }

 private:
  bool keep_case_;
  AttributePath path_;
  Dict seen_ = {};
};

class Batch final : public Lazy {
 public:
  Batch(Runtime* rt, const Value& input, int64_t count, const Value& fill)
      : Lazy(rt, input), count_(count), fill_(fill) {}

 protected:
  bool step(Value& out) override {
    if (done_) return false;
    ValueList items(*rt_);
    if (held_) items.push(item_);
    held_ = false;
    while (next_input(item_)) {
      rt_->charge(1);
      if (static_cast<int64_t>(items.size()) == count_) {
        held_ = true;
        out = items.as_list();
        return true;
      }
      items.push(item_);
    }
    done_ = true;
    if (items.size() == 0) return false;
    if (!fill_.is(Kind::none))
      while (static_cast<int64_t>(items.size()) < count_) {
        rt_->charge(1);
        items.push(fill_);
      }
    out = items.as_list();
    return true;
  }

 private:
  int64_t count_;
  Value fill_, item_ = {};
  bool held_ = false, done_ = false;
};

class Slices final : public Lazy {
 public:
  Slices(Runtime* rt, const Value& input, const Value& slices, const Value& fill)
      : Lazy(rt, input), slices_(slices), fill_(fill) {}

 protected:
  bool step(Value& out) override {
    if (number_ < 0) {
      ValueList all = collect(*rt_, input_);
      items_ = {all.data(), all.size()};
      number_ = 0;
      count_ = index_argument(slices_);
      if (count_ == 0) fail("integer division or modulo by zero");
    }
    if (number_ >= count_) return false;
    const auto size = static_cast<int64_t>(items_.size);
    const int64_t each = size / count_, extra = size % count_;
    const int64_t begin = number_ * each + std::min(number_, extra);
    const int64_t end = begin + each + (number_ < extra ? 1 : 0);
    ValueList part(*rt_);
    for (int64_t i = begin; i < end; ++i) part.push(items_.data[i]);
    if (!fill_.is(Kind::none) && number_ >= extra) part.push(fill_);
    ++number_;
    out = part.as_list();
    return true;
  }

 private:
  Value slices_, fill_;
  Items items_ = {};
  int64_t number_ = -1, count_ = 0;
};

class ItemsOf final : public Lazy {
 public:
  ItemsOf(Runtime* rt, const Value& input) : Lazy(rt, input) {}

 protected:
  bool step(Value& out) override {
    if (input_.is(Kind::undefined)) return false;
    if (!input_.is(Kind::dict)) fail("Can only get item pairs from a mapping.");
    if (at_ >= input_.dict->size) return false;
    const Entry& entry = input_.dict->entries[at_++];
    out = rt_->pair(entry.key, entry.value);
    return true;
  }

 private:
  size_t at_ = 0;
};

Value map(Runtime& rt, const Value& input, const Arguments& a) {
  return rt.iterator(rt.arena.make<Map>(&rt, input, keep(rt, a)));
}
template <Choose kChoose, bool kAttribute>
Value select(Runtime& rt, const Value& input, const Arguments& a) {
  return rt.iterator(rt.arena.make<Select>(&rt, input, keep(rt, a), kChoose, kAttribute));
}
Value unique(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[2];
  bind("unique", a, {{"case_sensitive"}, {"attribute"}}, v);
  const bool keep_case = !v[0].is(Kind::missing) && truth(rt, v[0]);
  return rt.iterator(rt.arena.make<Unique>(&rt, input, keep_case, AttributePath(rt, v[1])));
}
Value batch(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[2];
  bind("batch", a, {{"linecount", true}, {"fill_with"}}, v);
  return rt.iterator(rt.arena.make<Batch>(&rt, input, index_argument(v[0]),
                                          v[1].is(Kind::missing) ? Value::none() : v[1]));
}
Value slice(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[2];
  bind("slice", a, {{"slices", true}, {"fill_with"}}, v);
  return rt.iterator(
      rt.arena.make<Slices>(&rt, input, v[0], v[1].is(Kind::missing) ? Value::none() : v[1]));
}
Value items(Runtime& rt, const Value& input, const Arguments& a) {
  bind("items", a, {}, nullptr);
  return rt.iterator(rt.arena.make<ItemsOf>(&rt, input));
}

}  // namespace

void add_lazy_filters(FilterTable& table) {
  table.insert({{"batch", batch},
                {"items", items},
                {"map", map},
                {"reject", select<Choose::reject, false>},
                {"rejectattr", select<Choose::reject, true>},
                {"select", select<Choose::select, false>},
                {"selectattr", select<Choose::select, true>},
                {"slice", slice},
                {"unique", unique}});
}

}  // namespace helio::text::jinja
