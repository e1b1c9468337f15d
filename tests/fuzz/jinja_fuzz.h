// What the template engine's fuzz target runs: the first line is JSON for the variables, the rest
// the template.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"
#include "text/jinja/template.h"
#include "text/utf8.h"

namespace helio::text::fuzz {

// Only Error{invalid} may come out; text is UTF-8 and spans are in it.
inline void try_template(std::string_view data) {
  const size_t line = data.find('\n');
  OrderedJson variables;
  try {
    variables = jinja::parse_ordered_json(data.substr(0, line), "fuzz");
  } catch (const Error&) {}
  if (!variables.is_object())
    variables = {{"messages", {{{"role", "user"}, {"content", "안녕 <b>"}}}}, {"n", 3}};
  jinja::Variables given;
  for (const auto& [name, value] : variables.get_ref<const OrderedJson::object_t&>())
    given.emplace_back(name, &value);
  const jinja::RenderOptions options{
      .limits = {.steps = 200'000, .output = 1 << 20, .memory = 32 << 20, .depth = 200},
      .now = [] { return std::tm{.tm_mday = 1}; }};
  try {
    const auto made =
        jinja::Template::parse(line == data.npos ? data : data.substr(line + 1), "fuzz");
    const auto rendered = made.render(given, options);
    HELIO_CHECK(is_valid_utf8(rendered.text), "the text is no UTF-8");
    for (const auto& span : rendered.generation)
      HELIO_CHECK(span.begin >= 0 && span.begin <= span.end, "a span runs backwards");
    HELIO_CHECK(made.render(given, options).text == rendered.text,
                "rendering twice gave other text");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) throw;
  }
}

}  // namespace helio::text::fuzz
