// Arguments of built-in functions, placed as Python places them.
#include "text/jinja/runtime.h"

namespace helio::text::jinja {

void bind(const char* function, const Arguments& arguments,
          std::initializer_list<Parameter> parameters, Value* out) {
  const std::string name = std::string(function) + "()";
  if (arguments.size > parameters.size())
    fail(name + " takes at most " + std::to_string(parameters.size()) + " argument(s) (" +
         std::to_string(arguments.size) + " given)");
  for (size_t i = 0; i < parameters.size(); ++i)
    out[i] = i < arguments.size ? arguments[i] : Value();
  for (size_t n = 0; n < arguments.named_size; ++n) {
    size_t i = 0;
    for (const Parameter& parameter : parameters) {
      if (arguments.named[n].name == parameter.name) break;
      ++i;
    }
    if (i == parameters.size())
      fail(name + " got an unexpected keyword argument '" + std::string(arguments.named[n].name) +
           "'");
    if (i < arguments.size)
      fail(name + " got multiple values for argument '" + std::string(arguments.named[n].name) +
           "'");
    out[i] = arguments.named[n].value;
  }
  size_t i = 0;
  for (const Parameter& parameter : parameters)
    if (out[i++].is(Kind::missing) && parameter.required)
      fail(name + " missing 1 required positional argument: '" + parameter.name + "'");
}

int64_t index_argument(const Value& value) {
  if (value.is_integral()) return value.as_integer();
  if (value.is(Kind::undefined)) fail(std::string(value.undefined->message));
  fail("'" + std::string(type_name(value)) + "' object cannot be interpreted as an integer");
}

const Value& require_string(const Value& value, const char* what) {
  if (!value.is_string())
    fail(std::string(what) + " must be str, not " + std::string(type_name(value)));
  return value;
}

}  // namespace helio::text::jinja
