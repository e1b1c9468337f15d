#include "report/markup.h"

#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "report/format.h"

namespace helio::report {

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    const Character c = next_character(text);
    switch (c.code) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default: {
        const bool control = (c.code < 0x20 && c.code != '\n' && c.code != '\t') ||
                             (c.code >= 0x7f && c.code < 0xa0) || c.code == 0xfffe ||
                             c.code == 0xffff;
        if (control || !c.valid) out += "\xef\xbf\xbd";
        else out += text.substr(0, c.bytes);
      }
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string coordinate(double value) {
  HELIO_CHECK(std::isfinite(value), "a coordinate is not finite");
  std::string out = fmt::format("{:.2f}", value);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

void Markup::begin(std::string_view tag, Attributes attributes) {
  out_ += '<';
  out_ += tag;
  for (const auto& attribute : attributes) {
    if (attribute.value.empty() && attribute.name != "alt") continue;  // an optional class or title
    out_ += ' ';
    out_ += attribute.name;
    out_ += "=\"";
    out_ += escape(attribute.value);
    out_ += '"';
  }
}

Markup& Markup::open(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  out_ += '>';
  open_.emplace_back(tag);
  return *this;
}

Markup& Markup::close() {
  HELIO_CHECK(!open_.empty(), "no element is open");
  out_ += "</" + open_.back() + ">";
  open_.pop_back();
  return *this;
}

Markup& Markup::element(std::string_view tag, Attributes attributes, std::string_view content) {
  return open(tag, attributes).text(content).close();
}

Markup& Markup::empty(std::string_view tag, Attributes attributes) {
  begin(tag, attributes);
  out_ += "/>";
  return *this;
}

Markup& Markup::text(std::string_view content) {
  out_ += escape(content);
  return *this;
}

Markup& Markup::trusted(Trusted literal) {
  out_ += literal.text;
  return *this;
}

Markup& Markup::add(const Markup& part) {
  out_ += part.str();
  return *this;
}

const std::string& Markup::str() const {
  HELIO_CHECK(open_.empty(), "element <" + open_.back() + "> is not closed");
  return out_;
}

}  // namespace helio::report
