#include "engine/contamination.h"

#include "core/node.h"

namespace helio::engine {

Contamination::Contamination(const std::vector<std::string>& benchmarks, int64_t n_grams) {
  if (benchmarks.empty()) return;
  const Mark mark{.source = "--benchmarks"};
  Node options = Node::map(mark), list = Node::list(mark);
  for (const auto& path : benchmarks) list.push_back(Node::scalar(path, mark));
  options.set("benchmarks", mark, std::move(list));
  options.set("n_grams", mark, Node::scalar(std::to_string(n_grams), mark));
  op_ = data::find_op("decontaminate.ngrams").make(options);
}

bool Contamination::holds(const std::string& text) {
  const auto* map = std::get_if<std::unique_ptr<data::Map>>(&op_);
  if (map == nullptr || *map == nullptr) return false;
  data::Document document{.text = text};
  data::Counters counters;
  if ((*map)->apply(document, counters).kept) return false;
  constexpr std::string_view kPrefix = "contaminated.";
  for (const auto& [name, count] : counters)
    if (name.starts_with(kPrefix)) items_[name.substr(kPrefix.size())] += count;
  return true;
}

}  // namespace helio::engine
