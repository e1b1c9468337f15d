#include "data/op.h"

#include "core/error.h"

namespace helio::data {

std::string_view name_of(Shape shape) {
  switch (shape) {
    case Shape::map:
      return "map";
    case Shape::filter:
      return "filter";
    case Shape::stage:
      return "stage";
  }
  return "map";
}

const Op& find_op(std::string_view name) {
  const auto found = ops().find(name);
  if (found != ops().end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [each, op] : ops()) known.push_back(each);
  const std::string near = nearest(std::string(name), known);
  throw Error(ErrorKind::not_found, "no operator is called '" + std::string(name) + "'")
      .with_hint(near.empty() ? "helio data ops lists them"
                              : "did you mean '" + near + "'? helio data ops lists all");
}

}  // namespace helio::data
