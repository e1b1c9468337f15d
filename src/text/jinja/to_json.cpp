// The tojson filter of transformers: Python's json.dumps(x, ensure_ascii=False, ...).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "text/jinja/runtime.h"

namespace helio::text::jinja {
namespace {

class Dump {
 public:
  Dump(Runtime& rt, const Arguments& arguments) : rt_(rt) {
    Value v[4];
    bind("tojson", arguments, {{"ensure_ascii"}, {"indent"}, {"separators"}, {"sort_keys"}}, v);
    ascii_ = !v[0].is(Kind::missing) && truth(rt, v[0]);
    sorted_ = !v[3].is(Kind::missing) && truth(rt, v[3]);
    if (!v[1].is(Kind::missing) && !v[1].is(Kind::none)) {
      indented_ = true;
      if (v[1].is_string()) indent_ = v[1].string();
      else {
        const int64_t width = index_argument(v[1]);
        if (width > 1000) fail_limit("the indent is too large");
        indent_ = std::string(static_cast<size_t>(std::max<int64_t>(0, width)), ' ');
      }
      item_ = ",";
    }
    if (!v[2].is(Kind::missing) && !v[2].is(Kind::none)) {
      ValueList two = collect(rt, v[2]);
      if (two.size() != 2) fail("separators must be (item_separator, key_separator)");
      item_ = require_string(two[0], "item separator").string();
      key_ = require_string(two[1], "key separator").string();
    }
  }

  std::string run(const Value& value) {
    add(value, 0);
    return std::move(out_);
  }

 private:
  void add(const Value& value, int level) {
    const Deeper deeper(rt_);
    rt_.charge(1);
    switch (value.kind) {
      case Kind::none:
        out_ += "null";
        break;
      case Kind::boolean:
        out_ += value.boolean ? "true" : "false";
        break;
      case Kind::integer:
        append_text(rt_, out_, value);
        break;
      case Kind::floating:
        add_float(value.floating);
        break;
      case Kind::string:
        add_string(value.string());
        break;
      case Kind::list:
      case Kind::tuple:
        add_items(*value.items, level);
        break;
      case Kind::dict:
        add_dict(*value.dict, level);
        break;
      default:
        fail("Object of type " + std::string(type_name(value)) + " is not JSON serializable");
    }
    rt_.arena.check(out_.size());
  }

  void add_float(double d) {
    out_ += std::isnan(d)   ? "NaN"
            : std::isinf(d) ? (d < 0 ? "-Infinity" : "Infinity")
                            : float_repr(d);
  }

  void add_string(std::string_view text) {
    rt_.charge_bytes(text.size());
    out_ += '"';
    size_t plain = 0;
    for (size_t at = 0; at < text.size();) {
      const auto c = static_cast<uint8_t>(text[at]);
      if (c >= 0x20 && c != '"' && c != '\\' && (c < 0x7F || !ascii_)) {
        ++at;
        continue;
      }
      if (ascii_ && c == 0x7F) {
        ++at;
        continue;
      }
      out_ += text.substr(plain, at - plain);
      at += escape(text, at);
      plain = at;
    }
    out_ += text.substr(plain);
    out_ += '"';
  }

  size_t escape(std::string_view text, size_t at) {
    char code[16];
    switch (text[at]) {
      case '"':
        out_ += "\\\"";
        return 1;
      case '\\':
        out_ += "\\\\";
        return 1;
      case '\n':
        out_ += "\\n";
        return 1;
      case '\r':
        out_ += "\\r";
        return 1;
      case '\t':
        out_ += "\\t";
        return 1;
      case '\b':
        out_ += "\\b";
        return 1;
      case '\f':
        out_ += "\\f";
        return 1;
      default:
        break;
    }
    const auto point = decode_utf8(text, at);
    const auto c = static_cast<unsigned>(point.value);
    if (c < 0x10000) std::snprintf(code, sizeof code, "\\u%04x", c);
    else
      std::snprintf(code, sizeof code, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
                    0xDC00 + ((c - 0x10000) & 0x3FF));
    out_ += code;
    return point.size;
  }

  void new_line(int level) {
    if (!indented_) return;
    out_ += '\n';
    for (int i = 0; i < level; ++i) out_ += indent_;
  }

  void add_items(const Items& items, int level) {
    out_ += '[';
    for (size_t i = 0; i < items.size; ++i) {
      if (i) out_ += item_;
      new_line(level + 1);
      add(items.data[i], level + 1);
    }
    if (items.size) new_line(level);
    out_ += ']';
  }

  void add_dict(const Dict& dict, int level) {
    std::vector<const Entry*> entries;
    for (size_t i = 0; i < dict.size; ++i) entries.push_back(&dict.entries[i]);
    if (sorted_) {
      rt_.charge(static_cast<int64_t>(dict.size) * 4);
      std::stable_sort(entries.begin(), entries.end(), [&](const Entry* a, const Entry* b) {
        return order(rt_, a->key, b->key, "<") == Order::less;
      });
    }
    out_ += '{';
    bool first = true;
    for (const Entry* entry : entries) {
      if (!first) out_ += item_;
      first = false;
      new_line(level + 1);
      add_key(entry->key);
      out_ += key_;
      add(entry->value, level + 1);
    }
    if (dict.size) new_line(level);
    out_ += '}';
  }

  void add_key(const Value& key) {
    switch (key.kind) {
      case Kind::string:
        add_string(key.string());
        return;
      case Kind::none:
        out_ += "\"null\"";
        return;
      case Kind::boolean:
        out_ += key.boolean ? "\"true\"" : "\"false\"";
        return;
      case Kind::integer:
      case Kind::floating:
        out_ += '"';
        if (key.is(Kind::floating)) add_float(key.floating);
        else append_text(rt_, out_, key);
        out_ += '"';
        return;
      default:
        fail("keys must be str, int, float, bool or None, not " + std::string(type_name(key)));
    }
  }

  Runtime& rt_;
  std::string out_ = {};
  std::string indent_ = {}, item_ = ", ", key_ = ": ";
  bool indented_ = false, ascii_ = false, sorted_ = false;
};

}  // namespace

Value to_json(Runtime& rt, const Value& value, const Arguments& arguments) {
  return rt.text(Dump(rt, arguments).run(value));
}

}  // namespace helio::text::jinja
