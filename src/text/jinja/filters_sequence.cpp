// Filters on sequences that answer at once.
#include <algorithm>

#include "text/jinja/filters.h"

namespace helio::text::jinja {
namespace {

bool given(const Value& v) { return !v.is(Kind::missing) && !v.is(Kind::none); }
bool is_set(Runtime& rt, const Value& v) { return !v.is(Kind::missing) && truth(rt, v); }

Value length(Runtime& rt, const Value& input, const Arguments& a) {
  bind("length", a, {}, nullptr);
  return Value::integer_of(length_of(rt, input));
}

Value default_filter(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[2];
  bind("default", a, {{"default_value"}, {"boolean"}}, v);
  if (input.is(Kind::undefined) || (is_set(rt, v[1]) && !truth(rt, input)))
    return v[0].is(Kind::missing) ? rt.literal("") : v[0];
  return input;
}

Value first(Runtime& rt, const Value& input, const Arguments& a) {
  bind("first", a, {}, nullptr);
  Value out;
  if (iterate(rt, input)->next(out)) return out;
  return rt.undefined("No first item, sequence was empty.");
}

bool is_reversible(const Value& v) { return has_length(v) && !v.is(Kind::loop); }

Value reversed(Runtime& rt, const Value& input, const char* type) {
  ValueList all = collect(rt, input);
  std::reverse(all.data(), all.data() + all.size());
  Iterator* it = iterate(rt, all.as_list());
  it->type = type;
  return rt.iterator(it);
}

Value last(Runtime& rt, const Value& input, const Arguments& a) {
  bind("last", a, {}, nullptr);
  if (!is_reversible(input))
    fail("'" + std::string(type_name(input)) + "' object is not reversible");
  ValueList all = collect(rt, input);
  return all.size() ? all[all.size() - 1] : rt.undefined("No last item, sequence was empty.");
}

Value reverse(Runtime& rt, const Value& input, const Arguments& a) {
  bind("reverse", a, {}, nullptr);
  if (input.is_string())
    return get_slice(rt, input, Value::none(), Value::none(), Value::integer_of(-1));
  if (is_reversible(input))
    return reversed(rt, input, input.is(Kind::list) ? "list_reverseiterator" : "reversed");
  if (!is_iterable(input)) fail("argument must be iterable");
  ValueList all = collect(rt, input);
  std::reverse(all.data(), all.data() + all.size());
  return all.as_list();
}

Value list_filter(Runtime& rt, const Value& input, const Arguments& a) {
  bind("list", a, {}, nullptr);
  return collect(rt, input).as_list();
}

Value join(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[2];
  bind("join", a, {{"d"}, {"attribute"}}, v);
  const AttributePath path(rt, v[1]);
  const std::string between = v[0].is(Kind::missing) ? "" : text_of(rt, v[0]);
  std::string out;
  bool any = false;
  Iterator* it = iterate(rt, input);
  for (Value item; it->next(item); any = true) {
    rt.charge(1);
    if (any) out += between;
    append_text(rt, out, path.get(rt, item));
    rt.arena.check(out.size());
  }
  return rt.text(out);
}

// ---- sorting

struct Keyed {
  Value key = {}, value = {};
};

void sort_keyed(Runtime& rt, std::vector<Keyed>& items, bool reverse) {
  int64_t turns = 1;
  for (size_t n = items.size(); n > 1; n /= 2) ++turns;
  rt.charge(static_cast<int64_t>(items.size()) * turns);
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    return (reverse ? order(rt, b.key, a.key, "<") : order(rt, a.key, b.key, "<")) == Order::less;
  });
}

Value as_list(Runtime& rt, const std::vector<Keyed>& items) {
  Value* out = rt.arena.array<Value>(items.size());
  for (size_t i = 0; i < items.size(); ++i) out[i] = items[i].value;
  return rt.list(out, items.size());
}

Value sort(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[3];
  bind("sort", a, {{"reverse"}, {"case_sensitive"}, {"attribute"}}, v);
  const bool keep_case = is_set(rt, v[1]);
  std::vector<AttributePath> paths;
  if (v[2].is_string()) {
    const std::string_view text = v[2].string();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      paths.emplace_back(rt, rt.literal(text.substr(begin, end - begin)));
      begin = end + 1;
    }
  } else {
    paths.emplace_back(rt, v[2]);
  }
  std::vector<Keyed> items;
  Iterator* it = iterate(rt, input);
  for (Value item; it->next(item);) {
    rt.charge(1);
    Value* key = rt.arena.array<Value>(paths.size());
    for (size_t i = 0; i < paths.size(); ++i) {
      key[i] = paths[i].get(rt, item);
      if (!keep_case) key[i] = ignore_case(rt, key[i]);
    }
    items.push_back({rt.list(key, paths.size()), item});
  }
  sort_keyed(rt, items, is_set(rt, v[0]));
  return as_list(rt, items);
}

Value dictsort(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[3];
  bind("dictsort", a, {{"case_sensitive"}, {"by"}, {"reverse"}}, v);
  const bool keep_case = is_set(rt, v[0]);
  const Value by = v[1].is(Kind::missing) ? rt.literal("key") : v[1];
  if (!by.is_string() || (by.string() != "key" && by.string() != "value"))
    fail("You can only sort by either \"key\" or \"value\"");
  if (input.is(Kind::undefined)) fail(std::string(input.undefined->message));
  if (!input.is(Kind::dict))
    fail("'" + std::string(type_name(input)) + "' object has no attribute 'items'");
  std::vector<Keyed> items;
  for (size_t i = 0; i < input.dict->size; ++i) {
    const Entry& entry = input.dict->entries[i];
    const Value key = by.string() == "key" ? entry.key : entry.value;
    items.push_back({keep_case ? key : ignore_case(rt, key), rt.pair(entry.key, entry.value)});
  }
  sort_keyed(rt, items, is_set(rt, v[2]));
  return as_list(rt, items);
}

template <bool kMax>
Value extreme(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[2];
  bind(kMax ? "max" : "min", a, {{"case_sensitive"}, {"attribute"}}, v);
  const bool keep_case = is_set(rt, v[0]);
  const AttributePath path(rt, v[1]);
  Value best, best_key;
  Iterator* it = iterate(rt, input);
  for (Value item; it->next(item);) {
    rt.charge(1);
    Value key = path.get(rt, item);
    if (!keep_case) key = ignore_case(rt, key);
    if (best.is(Kind::missing) ||
        order(rt, key, best_key, kMax ? ">" : "<") == (kMax ? Order::greater : Order::less)) {
      best = item;
      best_key = key;
    }
  }
  return best.is(Kind::missing) ? rt.undefined("No aggregated item, sequence was empty.") : best;
}

Value groupby(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[3];
  bind("groupby", a, {{"attribute", true}, {"default"}, {"case_sensitive"}}, v);
  const bool keep_case = is_set(rt, v[2]);
  const AttributePath path(rt, v[0]);
  std::vector<Keyed> items;
  Iterator* it = iterate(rt, input);
  for (Value item; it->next(item);) {
    rt.charge(1);
    const Value key = path.get(rt, item, v[1]);
    items.push_back({keep_case ? key : ignore_case(rt, key), item});
  }
  sort_keyed(rt, items, false);
  ValueList groups(rt);
  for (size_t i = 0; i < items.size();) {
    ValueList members(rt);
    const size_t begin = i;
    for (; i < items.size() && equal(rt, items[begin].key, items[i].key); ++i)
      members.push(items[i].value);
    Value group = rt.pair(path.get(rt, items[begin].value, v[1]), members.as_list());
    group.mark = Mark::group;
    groups.push(group);
  }
  return groups.as_list();
}

Value sum(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[2];
  bind("sum", a, {{"attribute"}, {"start"}}, v);
  const AttributePath path(rt, v[0]);
  Value total = v[1].is(Kind::missing) ? Value::integer_of(0) : v[1];
  if (total.is_string()) fail("sum() can't sum strings [use ''.join(seq) instead]");
  Iterator* it = iterate(rt, input);
  for (Value item; it->next(item);) {
    rt.charge(1);
    total = binary(rt, Binary::add, total, given(v[0]) ? path.get(rt, item) : item);
  }
  return total;
}

Value attr(Runtime& rt, const Value& input, const Arguments& a) {
  Value name;
  bind("attr", a, {{"name", true}}, &name);
  require_string(name, "attribute name");
  const Value own = own_attribute(rt, input, name.string());
  return own.is(Kind::missing) ? rt.missing_attribute(input, name.string()) : own;
}

}  // namespace

void add_sequence_filters(FilterTable& table) {
  table.insert({{"attr", attr},
                {"count", length},
                {"d", default_filter},
                {"default", default_filter},
                {"dictsort", dictsort},
                {"first", first},
                {"groupby", groupby},
                {"join", join},
                {"last", last},
                {"length", length},
                {"list", list_filter},
                {"max", extreme<true>},
                {"min", extreme<false>},
                {"reverse", reverse},
                {"sort", sort},
                {"sum", sum}});
}

}  // namespace helio::text::jinja
