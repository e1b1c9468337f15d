// Python's str methods.
#include <algorithm>
#include <map>

#include "text/jinja/runtime.h"
#include "text/jinja/split.h"
#include "text/jinja/unicode_text.h"
#include "text/unicode.h"

namespace helio::text::jinja {
namespace {

void no_named(const char* name, const Arguments& a) {
  if (a.named_size) fail(std::string("str.") + name + "() takes no keyword arguments");
}
void count_arguments(const char* name, const Arguments& a, size_t least, size_t most) {
  no_named(name, a);
  if (a.size < least || a.size > most)
    fail(std::string(name) + "() takes from " + std::to_string(least) + " to " +
         std::to_string(most) + " arguments (" + std::to_string(a.size) + " given)");
}

template <Case kCase>
Value change(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("upper", a, 0, 0);
  rt.charge_bytes(self.text->size);
  return rt.text(change_case(self.string(), kCase));
}

enum class Ends : uint8_t { both, left, right };
template <Ends kEnds>
Value strip(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("strip", a, 0, 1);
  rt.charge_bytes(self.text->size);
  if (a.size && !a[0].is(Kind::none)) require_string(a[0], "strip arg");
  const std::string_view text = self.string();
  const std::string_view out = strip_text(text, a.size && !a[0].is(Kind::none) ? &a[0] : nullptr,
                                          kEnds != Ends::right, kEnds != Ends::left);
  return out.size() == text.size() ? self : rt.literal(out);
}

Value split(Runtime& rt, const Value& self, const Arguments& a) {
  Value v[2];
  bind("split", a, {{"sep"}, {"maxsplit"}}, v);
  return split_text(rt, self, v[0], v[1].is(Kind::missing) ? -1 : index_argument(v[1]), From::left);
}
Value rsplit(Runtime& rt, const Value& self, const Arguments& a) {
  Value v[2];
  bind("rsplit", a, {{"sep"}, {"maxsplit"}}, v);
  return split_text(rt, self, v[0], v[1].is(Kind::missing) ? -1 : index_argument(v[1]),
                    From::right);
}
Value splitlines(Runtime& rt, const Value& self, const Arguments& a) {
  Value v;
  bind("splitlines", a, {{"keepends"}}, &v);
  return split_lines(rt, self.string(), !v.is(Kind::missing) && truth(rt, v)).as_list();
}

// [start, end) of find(), count(), startswith() as bytes; false when start is behind the end.
bool part_of(Runtime& rt, const Value& self, const Arguments& a, size_t& begin, size_t& end) {
  const int64_t size = self.text->length();
  const auto place = [&](size_t i, int64_t otherwise) {
    if (a.size <= i || a[i].is(Kind::none)) return otherwise;
    if (!a[i].is_integral())
      fail("slice indices must be integers or None or have an __index__ method");
    int64_t at = a[i].as_integer();
    if (at < 0) at = at < -size ? 0 : at + size;
    return at;
  };
  const int64_t first = place(1, 0), last = std::min(place(2, size), size);
  if (first > last) return false;
  if (self.text->ascii()) {
    begin = static_cast<size_t>(first);
    end = static_cast<size_t>(last);
    return true;
  }
  rt.charge_bytes(self.text->size);
  begin = first_code_points(self.string(), first).size();
  end = first_code_points(self.string(), last).size();
  return true;
}

template <bool kStart>
Value begins_or_ends(Runtime& rt, const Value& self, const Arguments& a) {
  const char* name = kStart ? "startswith" : "endswith";
  count_arguments(name, a, 1, 3);
  size_t begin = 0, end = 0;
  const bool within = part_of(rt, self, a, begin, end);
  const auto has = [&](const Value& v) {
    if (!v.is_string())
      fail(std::string(name) + " first arg must be str or a tuple of str, not " +
           std::string(type_name(v)));
    if (!within) return false;
    const std::string_view part = self.string().substr(begin, end - begin);
    return kStart ? part.starts_with(v.string()) : part.ends_with(v.string());
  };
  if (!a[0].is(Kind::tuple)) return Value::boolean_of(has(a[0]));
  for (size_t i = 0; i < a[0].items->size; ++i)
    if (has(a[0].items->data[i])) return Value::boolean_of(true);
  return Value::boolean_of(false);
}

template <bool kLast, bool kMust>
Value find_in(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("find", a, 1, 3);
  require_string(a[0], "argument");
  size_t begin = 0, end = 0, at = std::string_view::npos;
  rt.charge_bytes(self.text->size);
  if (part_of(rt, self, a, begin, end)) {
    const std::string_view part = self.string().substr(begin, end - begin);
    at = kLast ? part.rfind(a[0].string()) : part.find(a[0].string());
  }
  if (at == std::string_view::npos) {
    if (kMust) fail("substring not found");
    return Value::integer_of(-1);
  }
  return Value::integer_of(count_code_points(self.string().substr(0, begin + at)));
}

Value count(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("count", a, 1, 3);
  require_string(a[0], "argument");
  size_t begin = 0, end = 0;
  rt.charge_bytes(self.text->size);
  if (!part_of(rt, self, a, begin, end)) return Value::integer_of(0);
  const std::string_view part = self.string().substr(begin, end - begin), what = a[0].string();
  if (what.empty()) return Value::integer_of(count_code_points(part) + 1);
  int64_t n = 0;
  for (size_t at = part.find(what); at != part.npos; at = part.find(what, at + what.size())) ++n;
  return Value::integer_of(n);
}

Value replace(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("replace", a, 2, 3);
  require_string(a[0], "replace() argument 1");
  require_string(a[1], "replace() argument 2");
  const int64_t most = a.size > 2 ? index_argument(a[2]) : -1;
  return replace_text(rt, self, a[0].string(), a[1].string(), most);
}

Value join(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("join", a, 1, 1);
  if (!is_iterable(a[0])) fail("can only join an iterable");
  std::string out;
  Iterator* it = iterate(rt, a[0]);
  int64_t n = 0;
  for (Value next; it->next(next); ++n) {
    rt.charge(1);
    if (!next.is_string())
      fail("sequence item " + std::to_string(n) + ": expected str instance, " +
           std::string(type_name(next)) + " found");
    if (n) out += self.string();
    out += next.string();
    rt.arena.check(out.size());
  }
  return rt.text(out);
}

template <class Good>
Value all_characters(Runtime& rt, const Value& self, const Arguments& a, const Good& good) {
  count_arguments("is...", a, 0, 0);
  rt.charge_bytes(self.text->size);
  bool all = self.text->size > 0;
  for_each_code_point(self.string(), [&](char32_t c, std::string_view) { all = all && good(c); });
  return Value::boolean_of(all);
}

#define HELIO_CHARACTER_METHOD(name, test)                               \
  Value name(Runtime& rt, const Value& self, const Arguments& a) {       \
    return all_characters(rt, self, a, [](char32_t c) { return test; }); \
  }
HELIO_CHARACTER_METHOD(isalpha, is_letter(c))
HELIO_CHARACTER_METHOD(isdecimal, is_decimal_digit(c))
HELIO_CHARACTER_METHOD(isdigit, is_digit_character(c))
HELIO_CHARACTER_METHOD(isnumeric, is_numeric_character(c))
HELIO_CHARACTER_METHOD(isalnum, is_letter(c) || is_decimal_digit(c) || is_digit_character(c) ||
                                    is_numeric_character(c))
HELIO_CHARACTER_METHOD(isspace, is_python_space(c))
#undef HELIO_CHARACTER_METHOD

Value isascii(Runtime&, const Value& self, const Arguments& a) {
  count_arguments("isascii", a, 0, 0);
  return Value::boolean_of(self.text->ascii());
}
Value isprintable(Runtime&, const Value& self, const Arguments& a) {
  count_arguments("isprintable", a, 0, 0);
  bool all = true;
  for_each_code_point(self.string(),
                      [&](char32_t c, std::string_view) { all = all && is_printable(c); });
  return Value::boolean_of(all);
}
Value isidentifier(Runtime&, const Value& self, const Arguments& a) {
  count_arguments("isidentifier", a, 0, 0);
  bool first = true, all = self.text->size > 0;
  for_each_code_point(self.string(), [&](char32_t c, std::string_view) {
    all = all && (first ? starts_identifier(c) : continues_identifier(c));
    first = false;
  });
  return Value::boolean_of(all);
}
Value islower(Runtime&, const Value& self, const Arguments& a) {
  count_arguments("islower", a, 0, 0);
  return Value::boolean_of(is_lower_text(self.string()));
}
Value isupper(Runtime&, const Value& self, const Arguments& a) {
  count_arguments("isupper", a, 0, 0);
  return Value::boolean_of(is_upper_text(self.string()));
}
Value istitle(Runtime&, const Value& self, const Arguments& a) {
  count_arguments("istitle", a, 0, 0);
  bool cased = false, good = true, any = false;
  for_each_code_point(self.string(), [&](char32_t c, std::string_view) {
    const bool lower = is_lower_character(c), start = is_cased(c) && !lower;
    if ((start && cased) || (lower && !cased)) good = false;
    cased = lower || start;
    any = any || cased;
  });
  return Value::boolean_of(good && any);
}

enum class Align : uint8_t { left, right, middle };
template <Align kAlign>
Value pad(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("center", a, 1, 2);
  const int64_t width = index_argument(a[0]);
  std::string_view fill = " ";
  if (a.size > 1) {
    fill = require_string(a[1], "The fill character").string();
    if (a[1].text->length() != 1) fail("The fill character must be exactly one character long");
  }
  const int64_t missing = width - self.text->length();
  if (missing <= 0) return self;
  // As CPython's center(): the odd one goes left when the width is odd.
  const int64_t left = kAlign == Align::left    ? 0
                       : kAlign == Align::right ? missing
                                                : missing / 2 + (missing & width & 1);
  return pad_text(rt, self.string(), left, missing - left, fill);
}

Value zfill(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("zfill", a, 1, 1);
  const int64_t missing = index_argument(a[0]) - self.text->length();
  if (missing <= 0) return self;
  const std::string_view text = self.string();
  const size_t sign = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const Value padded = pad_text(rt, text.substr(sign), missing, 0, "0");
  return rt.concat(rt.literal(text.substr(0, sign)), padded);
}

template <bool kLast>
Value partition(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("partition", a, 1, 1);
  const std::string_view text = self.string(), by = require_string(a[0], "separator").string();
  if (by.empty()) fail("empty separator");
  rt.charge_bytes(text.size());
  const size_t at = kLast ? text.rfind(by) : text.find(by);
  Value* parts = rt.arena.array<Value>(3);
  const bool found = at != text.npos;
  parts[kLast && !found ? 2 : 0] = rt.literal(found ? text.substr(0, at) : text);
  parts[1] = rt.literal(found ? by : "");
  parts[kLast && !found ? 0 : 2] = rt.literal(found ? text.substr(at + by.size()) : "");
  return rt.tuple(parts, 3);
}

template <bool kStart>
Value without(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("removeprefix", a, 1, 1);
  const std::string_view text = self.string(), part = require_string(a[0], "argument").string();
  if (part.empty()) return self;
  if (kStart) return text.starts_with(part) ? rt.literal(text.substr(part.size())) : self;
  return text.ends_with(part) ? rt.literal(text.substr(0, text.size() - part.size())) : self;
}

Value expandtabs(Runtime& rt, const Value& self, const Arguments& a) {
  Value v;
  bind("expandtabs", a, {{"tabsize"}}, &v);
  const int64_t size = v.is(Kind::missing) ? 8 : index_argument(v);
  std::string out;
  int64_t column = 0;
  for_each_code_point(self.string(), [&](char32_t c, std::string_view bytes) {
    if (c == '\t') {
      if (size > 0) {
        const int64_t more = size - column % size;
        rt.arena.check(out.size() + static_cast<size_t>(more));
        out.append(static_cast<size_t>(more), ' ');
        column += more;
      }
      return;
    }
    out += bytes;
    column = c == '\n' || c == '\r' ? 0 : column + 1;
  });
  return rt.text(out);
}

Value format_map(Runtime& rt, const Value& self, const Arguments& a) {
  count_arguments("format_map", a, 1, 1);
  if (!a[0].is(Kind::dict)) fail("format_map() needs a mapping");
  std::vector<Named> named;
  for (size_t i = 0; i < a[0].dict->size; ++i)
    if (a[0].dict->entries[i].key.is_string())
      named.push_back({a[0].dict->entries[i].key.string(), a[0].dict->entries[i].value});
  return format_braces(rt, self, {nullptr, 0, named.data(), named.size()});
}

Value unsupported(Runtime&, const Value&, const Arguments&) {
  fail("str.encode, str.translate and str.maketrans are not supported in templates");
}

}  // namespace

Method string_method(std::string_view name) {
  static const std::map<std::string_view, Method> methods = {
      {"capitalize", change<Case::capitalize>},
      {"casefold", change<Case::fold>},
      {"center", pad<Align::middle>},
      {"count", count},
      {"encode", unsupported},
      {"endswith", begins_or_ends<false>},
      {"expandtabs", expandtabs},
      {"find", find_in<false, false>},
      {"format", format_braces},
      {"format_map", format_map},
      {"index", find_in<false, true>},
      {"isalnum", isalnum},
      {"isalpha", isalpha},
      {"isascii", isascii},
      {"isdecimal", isdecimal},
      {"isdigit", isdigit},
      {"isidentifier", isidentifier},
      {"islower", islower},
      {"isnumeric", isnumeric},
      {"isprintable", isprintable},
      {"isspace", isspace},
      {"istitle", istitle},
      {"isupper", isupper},
      {"join", join},
      {"ljust", pad<Align::left>},
      {"lower", change<Case::lower>},
      {"lstrip", strip<Ends::left>},
      {"maketrans", unsupported},
      {"partition", partition<false>},
      {"removeprefix", without<true>},
      {"removesuffix", without<false>},
      {"replace", replace},
      {"rfind", find_in<true, false>},
      {"rindex", find_in<true, true>},
      {"rjust", pad<Align::right>},
      {"rpartition", partition<true>},
      {"rsplit", rsplit},
      {"rstrip", strip<Ends::right>},
      {"split", split},
      {"splitlines", splitlines},
      {"startswith", begins_or_ends<true>},
      {"strip", strip<Ends::both>},
      {"swapcase", change<Case::swap>},
      {"title", change<Case::title>},
      {"translate", unsupported},
      {"upper", change<Case::upper>},
      {"zfill", zfill}};
  const auto found = methods.find(name);
  return found == methods.end() ? nullptr : found->second;
}

}  // namespace helio::text::jinja
