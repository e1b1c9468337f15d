#include "text/jinja/template.h"

#include "core/error.h"
#include "text/jinja/renderer.h"

namespace helio::text::jinja {
namespace {

Value from_json(Runtime& rt, const OrderedJson& json) {
  const Deeper deeper(rt);
  switch (json.type()) {
    case OrderedJson::value_t::boolean:
      return Value::boolean_of(json.get<bool>());
    case OrderedJson::value_t::number_integer:
      return Value::integer_of(json.get<int64_t>());
    case OrderedJson::value_t::number_unsigned:
      if (json.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
        fail_limit("an integer needs more than 64 bits");
      return Value::integer_of(json.get<int64_t>());
    case OrderedJson::value_t::number_float:
      return Value::floating_of(json.get<double>());
    case OrderedJson::value_t::string: {
      const std::string& text = json.get_ref<const std::string&>();
      return is_valid_utf8(text) ? rt.literal(text) : rt.text(repair_utf8(text));
    }
    case OrderedJson::value_t::array: {
      Value* items = rt.arena.array<Value>(json.size());
      for (size_t i = 0; i < json.size(); ++i) items[i] = from_json(rt, json[i]);
      return rt.list(items, json.size());
    }
    case OrderedJson::value_t::object: {
      Dict* dict = new_dict(rt, json.size());
      for (const auto& [key, value] : json.items())
        put(rt, *dict, rt.text(repair_utf8(key)), from_json(rt, value));
      return Value::dict_of(dict);
    }
    default:
      return Value::none();
  }
}

}  // namespace

Template::Template(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

Template Template::parse(std::string_view source, std::string name) {
  if (source.size() > (size_t(8) << 20))
    throw Error(ErrorKind::invalid, name + ": the template is longer than 8 MiB");
  auto tree = std::make_unique<Tree>(std::move(name), source);
  jinja::parse(*tree);
  analyze(*tree);
  return Template(std::move(tree));
}

Rendered Template::render(const Variables& variables, const RenderOptions& options) const {
  Renderer renderer(*tree_, options);
  Dict* all = nullptr;
  try {
    all = new_dict(renderer, variables.size());
    for (const auto& [name, json] : variables)
      put(renderer, *all, renderer.text(name), from_json(renderer, *json));
  } catch (const Failure& failure) {
    throw Error(ErrorKind::invalid,
                tree_->source.name() + ": the template's variables: " + failure.message);
  }
  return renderer.render(*all);
}

bool Template::has_generation() const { return tree_->has_generation; }

OrderedJson parse_ordered_json(std::string_view text, const std::string& source) {
  parse_json(text, source);  // checks, and names the place of what is wrong
  return OrderedJson::parse(text.begin(), text.end());
}

}  // namespace helio::text::jinja
