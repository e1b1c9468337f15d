// HTML and SVG as text that cannot be wrong: every value is escaped where it enters, every element
// that is opened must be closed, and only literals of this program may bring markup of their own.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace helio::report {

// & < > " ' escaped; bytes that are no UTF-8, and control characters, become U+FFFD.
std::string escape(std::string_view text);

// A number as an attribute: at most two decimals, no trailing zeros, never "-0" or an exponent.
std::string coordinate(double value);

// Markup written in our own source: a literal, known to the compiler. Data cannot become one.
struct Trusted {
  template <size_t N>
  consteval Trusted(const char (&literal)[N])
      : text(literal, N - 1) {}  // NOLINT: implicit on purpose
  std::string_view text;
};

struct Attribute {
  Attribute(std::string_view name, std::string_view value) : name(name), value(value) {}
  template <std::floating_point T>
  Attribute(std::string_view name, T value) : name(name), value(coordinate(value)) {}
  template <std::integral T>
  Attribute(std::string_view name, T value) : name(name), value(std::to_string(value)) {}
  std::string_view name;
  std::string value;
};
using Attributes = std::initializer_list<Attribute>;

class Markup {
 public:
  Markup& open(std::string_view tag, Attributes attributes = {});
  Markup& close();  // the innermost element that is open
  Markup& element(std::string_view tag, Attributes attributes, std::string_view text);
  Markup& empty(std::string_view tag, Attributes attributes = {});  // <tag .../>: SVG and void HTML
  Markup& text(std::string_view text);
  Markup& trusted(Trusted literal);
  Markup& add(const Markup& part);  // a finished piece
  // Throws internal when an element is still open.
  const std::string& str() const;

 private:
  void begin(std::string_view tag, Attributes attributes);
  std::string out_;
  std::vector<std::string> open_;
};

}  // namespace helio::report
