#include "text/jinja/split.h"

#include <algorithm>

#include "text/jinja/unicode_text.h"
#include "text/unicode.h"

namespace helio::text::jinja {
namespace {

// The last character of a text that is not empty: where it begins.
size_t last_character(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

template <class Strip>
std::string_view strip_if(std::string_view text, bool left, bool right, const Strip& strips) {
  while (left && !text.empty()) {
    const auto point = decode_utf8(text, 0);
    if (!strips(point.value)) break;
    text.remove_prefix(point.size);
  }
  while (right && !text.empty()) {
    const size_t last = last_character(text);
    if (!strips(decode_utf8(text, last).value)) break;
    text = text.substr(0, last);
  }
  return text;
}

ValueList split_at(Runtime& rt, std::string_view text, std::string_view by, int64_t most,
                   From from) {
  ValueList parts(rt);
  if (from == From::left) {
    for (size_t at = 0; most != 0 && (at = text.find(by)) != text.npos; --most) {
      rt.charge(1);
      parts.push(rt.literal(text.substr(0, at)));
      text.remove_prefix(at + by.size());
    }
    parts.push(rt.literal(text));
    return parts;
  }
  for (size_t at = 0; most != 0 && (at = text.rfind(by)) != text.npos; --most) {
    rt.charge(1);
    parts.push(rt.literal(text.substr(at + by.size())));
    text = text.substr(0, at);
  }
  parts.push(rt.literal(text));
  std::reverse(parts.data(), parts.data() + parts.size());
  return parts;
}

ValueList split_at_space(Runtime& rt, std::string_view text, int64_t most, From from) {
  ValueList parts(rt);
  const bool left = from == From::left;
  text = strip_text(text, nullptr, left, !left);
  while (!text.empty()) {
    rt.charge(1);
    if (most-- == 0) {
      parts.push(rt.literal(strip_text(text, nullptr, left, !left)));
      break;
    }
    if (left) {
      size_t end = 0;
      while (end < text.size()) {
        const auto point = decode_utf8(text, end);
        if (is_python_space(point.value)) break;
        end += point.size;
      }
      parts.push(rt.literal(text.substr(0, end)));
      text = strip_text(text.substr(end), nullptr, true, false);
    } else {
      size_t begin = text.size();
      while (begin > 0) {
        const size_t last = last_character(text.substr(0, begin));
        if (is_python_space(decode_utf8(text, last).value)) break;
        begin = last;
      }
      parts.push(rt.literal(text.substr(begin)));
      text = strip_text(text.substr(0, begin), nullptr, false, true);
    }
  }
  if (!left) std::reverse(parts.data(), parts.data() + parts.size());
  return parts;
}

}  // namespace

std::string_view strip_text(std::string_view text, const Value* characters, bool left, bool right) {
  if (!characters)
    return strip_if(text, left, right, [](char32_t c) { return is_python_space(c); });
  const std::u32string all = to_code_points(characters->string());
  return strip_if(text, left, right, [&](char32_t c) { return all.find(c) != all.npos; });
}

Value split_text(Runtime& rt, const Value& text, const Value& separator, int64_t most, From from) {
  rt.charge_bytes(text.text->size);
  if (separator.is(Kind::missing) || separator.is(Kind::none))
    return split_at_space(rt, text.string(), most, from).as_list();
  const std::string_view by = require_string(separator, "separator").string();
  if (by.empty()) fail("empty separator");
  return split_at(rt, text.string(), by, most, from).as_list();
}

ValueList split_lines(Runtime& rt, std::string_view text, bool keep_ends) {
  ValueList lines(rt);
  rt.charge_bytes(text.size());
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const auto point = decode_utf8(text, at);
    if (!is_line_break(point.value)) {
      at += point.size;
      continue;
    }
    size_t end = at + point.size;
    if (point.value == '\r' && end < text.size() && text[end] == '\n') ++end;
    rt.charge(1);
    lines.push(rt.literal(text.substr(begin, (keep_ends ? end : at) - begin)));
    begin = at = end;
  }
  if (begin < text.size()) lines.push(rt.literal(text.substr(begin)));
  return lines;
}

Value replace_text(Runtime& rt, const Value& self, std::string_view old, std::string_view with,
                   int64_t most) {
  const std::string_view text = self.string();
  rt.charge_bytes(text.size());
  std::string out;
  if (old.empty()) {  // before every character and at the end
    bool done = most == 0;
    int64_t n = 0;
    for_each_code_point(text, [&](char32_t, std::string_view bytes) {
      if (!done) {
        out += with;
        done = ++n == most;
        if (out.size() > rt.arena.limit()) fail_limit("the template makes too much data");
      }
      out += bytes;
    });
    if (!done) out += with;
    return rt.text(out);
  }
  size_t at = 0;
  for (size_t next = text.find(old); next != text.npos && most != 0;
       next = text.find(old, at), --most) {
    out += text.substr(at, next - at);
    out += with;
    at = next + old.size();
    if (out.size() > rt.arena.limit()) fail_limit("the template makes too much data");
  }
  if (at == 0) return self;
  out += text.substr(at);
  rt.charge_bytes(out.size());
  return rt.text(out);
}

Value pad_text(Runtime& rt, std::string_view text, int64_t left, int64_t right,
               std::string_view fill) {
  const auto size = static_cast<uint64_t>(left) + static_cast<uint64_t>(right);
  if (size > rt.arena.limit() / fill.size()) fail_limit("the template makes too much data");
  rt.charge_bytes(size);
  std::string out;
  out.reserve(text.size() + size * fill.size());
  for (int64_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (int64_t i = 0; i < right; ++i) out += fill;
  return rt.text(out);
}

bool is_lower_text(std::string_view text) {
  bool any = false, all = true;
  for_each_code_point(text, [&](char32_t c, std::string_view) {
    const bool lower = is_lower_character(c);
    any = any || lower;
    if (!lower && is_cased(c)) all = false;
  });
  return any && all;
}

bool is_upper_text(std::string_view text) {
  bool any = false, all = true;
  for_each_code_point(text, [&](char32_t c, std::string_view) {
    const bool upper = is_upper_character(c);
    any = any || upper;
    if (!upper && is_cased(c)) all = false;
  });
  return any && all;
}

}  // namespace helio::text::jinja
