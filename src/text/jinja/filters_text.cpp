// Filters that make text.
#include "text/jinja/filters.h"
#include "text/jinja/split.h"
#include "text/jinja/unicode_text.h"
#include "text/unicode.h"

namespace helio::text::jinja {

namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
}

}  // namespace

Value escape_html(Runtime& rt, const Value& value) {
  if (value.is_string() && value.mark == Mark::safe) return value;
  const Value text = to_text(rt, value);
  rt.charge_bytes(text.text->size);
  std::string out;
  append_escaped(out, text.string());
  Value escaped = rt.text(out);
  escaped.mark = Mark::safe;
  return escaped;
}

namespace {

template <Case kCase>
Value change(Runtime& rt, const Value& input, const Arguments& a) {
  bind("upper", a, {}, nullptr);
  const Value text = to_text(rt, input);
  rt.charge_bytes(text.text->size);
  return rt.text(change_case(text.string(), kCase));
}

// Words begin after white space and -({[<, unlike str.title().
Value title(Runtime& rt, const Value& input, const Arguments& a) {
  bind("title", a, {}, nullptr);
  const Value text = to_text(rt, input);
  rt.charge_bytes(text.text->size);
  std::string out, word;
  const auto add_word = [&] {
    if (word.empty()) return;
    const size_t first = decode_utf8(word, 0).size;
    out += change_case(std::string_view(word).substr(0, first), Case::upper);
    out += change_case(std::string_view(word).substr(first), Case::lower);
    word.clear();
  };
  bool between = false;
  for_each_code_point(text.string(), [&](char32_t c, std::string_view bytes) {
    const bool separator =
        c == '-' || c == '(' || c == '{' || c == '[' || c == '<' || is_python_space(c);
    if (separator != between) add_word();
    between = separator;
    word += bytes;
  });
  add_word();
  return rt.text(out);
}

Value trim_filter(Runtime& rt, const Value& input, const Arguments& a) {
  Value chars;
  bind("trim", a, {{"chars"}}, &chars);
  const Value text = to_text(rt, input);
  rt.charge_bytes(text.text->size);
  const bool given = !chars.is(Kind::missing) && !chars.is(Kind::none);
  if (given) require_string(chars, "strip arg");
  return rt.literal(strip_text(text.string(), given ? &chars : nullptr, true, true));
}

Value string(Runtime& rt, const Value& input, const Arguments& a) {
  bind("string", a, {}, nullptr);
  return to_text(rt, input);
}

Value replace(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[3];
  bind("replace", a, {{"old", true}, {"new", true}, {"count"}}, v);
  const int64_t count = v[2].is(Kind::missing) || v[2].is(Kind::none) ? -1 : index_argument(v[2]);
  Value text = to_text(rt, input);
  text.mark = Mark::none;
  return replace_text(rt, text, to_text(rt, v[0]).string(), to_text(rt, v[1]).string(), count);
}

Value center(Runtime& rt, const Value& input, const Arguments& a) {
  Value width;
  bind("center", a, {{"width"}}, &width);
  const Value text = to_text(rt, input);
  const int64_t wide = width.is(Kind::missing) ? 80 : index_argument(width);
  const int64_t missing = wide - text.text->length();
  if (missing <= 0) return text;
  const int64_t left = missing / 2 + (missing & wide & 1);
  return pad_text(rt, text.string(), left, missing - left, " ");
}

Value indent(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[3];
  bind("indent", a, {{"width"}, {"first"}, {"blank"}}, v);
  std::string by = "    ";
  if (!v[0].is(Kind::missing)) {
    if (v[0].is_string()) by = v[0].string();
    else by = std::string(binary(rt, Binary::mul, rt.literal(" "), v[0]).string());
  }
  const bool first = !v[1].is(Kind::missing) && truth(rt, v[1]),
             blank = !v[2].is(Kind::missing) && truth(rt, v[2]);
  const Value text = binary(rt, Binary::add, input, rt.literal("\n"));
  ValueList lines = split_lines(rt, text.string(), false);
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i) out += '\n';
    const std::string_view line = lines[i].string();
    if (i == 0 ? first : blank || !line.empty()) out += by;
    out += line;
    rt.arena.check(out.size());
  }
  return rt.text(out);
}

Value truncate(Runtime& rt, const Value& input, const Arguments& a) {
  Value v[4];
  bind("truncate", a, {{"length"}, {"killwords"}, {"end"}, {"leeway"}}, v);
  const int64_t length = v[0].is(Kind::missing) ? 255 : index_argument(v[0]);
  const Value end = v[2].is(Kind::missing) ? rt.literal("...") : v[2];
  const int64_t leeway = v[3].is(Kind::missing) || v[3].is(Kind::none) ? 5 : index_argument(v[3]);
  const int64_t end_size = length_of(rt, end);
  if (length < end_size)
    fail("expected length >= " + std::to_string(end_size) + ", got " + std::to_string(length));
  if (leeway < 0) fail("expected leeway >= 0, got " + std::to_string(leeway));
  if (length_of(rt, input) <= length + leeway) return input;
  require_string(input, "the text to truncate");
  require_string(end, "end");
  std::string_view kept = first_code_points(input.string(), length - end_size);
  if (v[1].is(Kind::missing) || !truth(rt, v[1])) {
    const size_t space = kept.rfind(' ');
    if (space != kept.npos) kept = kept.substr(0, space);
  }
  return rt.text(std::string(kept) + std::string(end.string()));
}

Value wordcount(Runtime& rt, const Value& input, const Arguments& a) {
  bind("wordcount", a, {}, nullptr);
  const Value text = to_text(rt, input);
  rt.charge_bytes(text.text->size);
  int64_t words = 0;
  bool inside = false;
  for_each_code_point(text.string(), [&](char32_t c, std::string_view) {
    const bool word = c == '_' || is_letter(c) || is_decimal_digit(c) || is_digit_character(c) ||
                      is_numeric_character(c);
    if (word && !inside) ++words;
    inside = word;
  });
  return Value::integer_of(words);
}

Value format(Runtime& rt, const Value& input, const Arguments& a) {
  if (a.size && a.named_size)
    fail("can't handle positional and keyword arguments at the same time");
  const Value text = to_text(rt, input);
  if (!a.named_size) {
    Value* copy = rt.arena.array<Value>(a.size);
    std::copy(a.data, a.data + a.size, copy);
    return format_percent(rt, text, rt.tuple(copy, a.size));
  }
  Dict* named = new_dict(rt, a.named_size);
  for (size_t i = 0; i < a.named_size; ++i)
    put(rt, *named, rt.literal(a.named[i].name), a.named[i].value);
  return format_percent(rt, text, Value::dict_of(named));
}

Value escape(Runtime& rt, const Value& input, const Arguments& a) {
  bind("escape", a, {}, nullptr);
  return escape_html(rt, input);
}
Value force_escape(Runtime& rt, const Value& input, const Arguments& a) {
  bind("forceescape", a, {}, nullptr);
  Value text = to_text(rt, input);
  text.mark = Mark::none;
  return escape_html(rt, text);
}
Value safe(Runtime& rt, const Value& input, const Arguments& a) {
  bind("safe", a, {}, nullptr);
  Value text = to_text(rt, input);
  text.mark = Mark::safe;
  return text;
}

// Without <!-- comments --> and <tags>, white space made single, the escapes of |e undone.
Value striptags(Runtime& rt, const Value& input, const Arguments& a) {
  bind("striptags", a, {}, nullptr);
  std::string text(to_text(rt, input).string());
  const auto cut = [&](std::string_view open, std::string_view close) {
    std::string out;
    size_t at = 0;
    while (true) {
      const size_t begin = text.find(open, at);
      const size_t end = begin == text.npos ? text.npos : text.find(close, begin);
      if (end == text.npos) break;
      out += text.substr(at, begin - at);
      at = end + close.size();
    }
    text = out + text.substr(at);
  };
  rt.charge_bytes(text.size());
  cut("<!--", "-->");
  cut("<", ">");
  std::string joined;
  for_each_word(text, [&](std::string_view word) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  });
  static constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'},  {"&lt;", '<'},  {"&gt;", '>'},
      {"&#39;", '\''}, {"&#34;", '"'}, {"&quot;", '"'}};
  std::string out;
  for (size_t at = 0; at < joined.size();) {
    bool found = false;
    for (const auto& [entity, c] : kEntities)
      if (joined.compare(at, entity.size(), entity) == 0) {
        out += c;
        at += entity.size();
        found = true;
        break;
      }
    if (!found) out += joined[at++];
  }
  return rt.text(out);
}

void append_quoted_url(std::string& out, std::string_view text, bool query) {
  constexpr const char* kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto b = static_cast<uint8_t>(c);
    const bool plain = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
                       c == '_' || c == '.' || c == '-' || c == '~' || (c == '/' && !query);
    if (plain) out += c;
    else if (c == ' ' && query) out += '+';
    else ((out += '%') += kHex[b >> 4]) += kHex[b & 15];
  }
}

Value urlencode(Runtime& rt, const Value& input, const Arguments& a) {
  bind("urlencode", a, {}, nullptr);
  std::string out;
  if (input.is_string() || !is_iterable(input)) {
    append_quoted_url(out, to_text(rt, input).string(), false);
    return rt.text(out);
  }
  const Value items = input.is(Kind::dict) ? dict_method("items")(rt, input, {}) : input;
  Iterator* it = iterate(rt, items);
  for (Value next; it->next(next);) {
    const ValueList pair = collect(rt, next);
    ValueList two = pair;
    if (two.size() != 2) fail("not enough or too many values to unpack (expected 2)");
    if (!out.empty()) out += '&';
    append_quoted_url(out, to_text(rt, two[0]).string(), true);
    out += '=';
    append_quoted_url(out, to_text(rt, two[1]).string(), true);
  }
  return rt.text(out);
}

Value xmlattr(Runtime& rt, const Value& input, const Arguments& a) {
  Value autospace;
  bind("xmlattr", a, {{"autospace"}}, &autospace);
  if (input.is(Kind::undefined)) fail(std::string(input.undefined->message));
  if (!input.is(Kind::dict))
    fail("'" + std::string(type_name(input)) + "' object has no attribute 'items'");
  std::string out;
  for (size_t i = 0; i < input.dict->size; ++i) {
    const Entry& entry = input.dict->entries[i];
    if (entry.value.is(Kind::none) || entry.value.is(Kind::undefined)) continue;
    const std::string_view key = require_string(entry.key, "an attribute name").string();
    if (key.find_first_of(" \t\n\r\f\v/>=") != key.npos)
      fail("Invalid character in attribute name");
    if (!out.empty()) out += ' ';
    out += escape_html(rt, entry.key).string();
    out += "=\"";
    out += escape_html(rt, entry.value).string();
    out += '"';
  }
  if (!out.empty() && (autospace.is(Kind::missing) || truth(rt, autospace))) out = " " + out;
  return rt.text(out);
}

}  // namespace

void add_text_filters(FilterTable& table) {
  table.insert({{"capitalize", change<Case::capitalize>},
                {"center", center},
                {"e", escape},
                {"escape", escape},
                {"forceescape", force_escape},
                {"format", format},
                {"indent", indent},
                {"lower", change<Case::lower>},
                {"replace", replace},
                {"safe", safe},
                {"string", string},
                {"striptags", striptags},
                {"title", title},
                {"trim", trim_filter},
                {"truncate", truncate},
                {"upper", change<Case::upper>},
                {"urlencode", urlencode},
                {"wordcount", wordcount},
                {"xmlattr", xmlattr}});
}

}  // namespace helio::text::jinja
