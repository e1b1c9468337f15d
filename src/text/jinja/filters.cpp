#include "text/jinja/filters.h"

#include "text/jinja/unicode_text.h"

namespace helio::text::jinja {
namespace {

template <int kWhich>
Value unsupported(Runtime&, const Value&, const Arguments&) {
  static constexpr const char* kNames[] = {"random", "urlize", "pprint", "wordwrap"};
  fail(std::string("the filter '") + kNames[kWhich] + "' is not supported in chat templates");
}

}  // namespace

AttributePath::AttributePath(Runtime& rt, const Value& attribute) {
  if (attribute.is(Kind::missing) || attribute.is(Kind::none)) return;
  ValueList parts(rt, 4);
  if (!attribute.is_string()) parts.push(attribute);
  else {
    const std::string_view text = attribute.string();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find('.', begin), text.size());
      const std::string_view part = text.substr(begin, end - begin);
      const bool number =
          !part.empty() && part.size() < 18 && part.find_first_not_of("0123456789") == part.npos;
      parts.push(number ? Value::integer_of(std::stoll(std::string(part))) : rt.literal(part));
      begin = end + 1;
    }
  }
  parts_ = {parts.data(), parts.size()};
}

Value AttributePath::get(Runtime& rt, Value item, const Value& otherwise) const {
  for (size_t i = 0; i < parts_.size; ++i) {
    item = get_item(rt, item, parts_.data[i]);
    if (item.is(Kind::undefined) && !otherwise.is(Kind::missing) && !otherwise.is(Kind::none))
      item = otherwise;
  }
  return item;
}

Value ignore_case(Runtime& rt, const Value& value) {
  if (!value.is_string()) return value;
  rt.charge_bytes(value.text->size);
  return rt.text(change_case(value.string(), Case::lower));
}

Filter find_filter(std::string_view name) {
  static const FilterTable table = [] {
    FilterTable all;
    add_text_filters(all);
    add_number_filters(all);
    add_sequence_filters(all);
    add_lazy_filters(all);
    all["tojson"] = to_json;
    all["random"] = unsupported<0>;
    all["urlize"] = unsupported<1>;
    all["pprint"] = unsupported<2>;
    all["wordwrap"] = unsupported<3>;
    return all;
  }();
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace helio::text::jinja
