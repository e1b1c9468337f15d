// The parts of the filter table (filters.cpp).
#pragma once

#include <map>
#include <string_view>

#include "text/jinja/runtime.h"

namespace helio::text::jinja {

using FilterTable = std::map<std::string_view, Filter>;
void add_text_filters(FilterTable& table);
void add_number_filters(FilterTable& table);
void add_sequence_filters(FilterTable& table);
void add_lazy_filters(FilterTable& table);

// "a.b.0" or a number as the way to an attribute; given as `attribute` of sort, map, groupby ...
class AttributePath {
 public:
  AttributePath(Runtime& rt, const Value& attribute);  // none or missing: the item itself
  Value get(Runtime& rt, Value item, const Value& otherwise = Value()) const;

 private:
  Items parts_ = {};
};
Value ignore_case(Runtime& rt, const Value& value);  // strings in lower case

}  // namespace helio::text::jinja
