#include "jobs/lineage.h"

#include <set>

namespace helio::jobs {
namespace {

enum class Way { back, forward };

class Walk {
 public:
  Walk(const Registry& registry, Way way) : registry_(registry), way_(way) {}

  std::vector<LineageStep> from(size_t start) {
    seen_.insert(start);
    visit(start, 1);
    return std::move(steps_);
  }

 private:
  void visit(size_t at, int depth) {
    std::vector<LineageStep> next;
    for (const Edge& edge : registry_.edges()) {
      if (way_ == Way::back && edge.made == at)
        next.push_back(
            {.depth = depth, .role = edge.input.role, .artefact = edge.from, .input = edge.input});
      if (way_ == Way::forward && edge.from == static_cast<int64_t>(at))
        next.push_back({.depth = depth,
                        .role = edge.input.role,
                        .artefact = static_cast<int64_t>(edge.made),
                        .input = edge.input});
    }
    for (size_t i = 0; i < next.size(); ++i) {
      LineageStep& step = next[i];
      step.last = i + 1 == next.size();
      const bool known = step.artefact >= 0;
      step.repeated = known && !seen_.insert(static_cast<size_t>(step.artefact)).second;
      steps_.push_back(step);
      if (known && !step.repeated) visit(static_cast<size_t>(step.artefact), depth + 1);
    }
  }

  const Registry& registry_;
  Way way_;
  std::set<size_t> seen_ = {};
  std::vector<LineageStep> steps_ = {};
};

}  // namespace

Lineage trace(const Registry& registry, size_t start) {
  Lineage lineage{.start = start};
  lineage.made_from = Walk(registry, Way::back).from(start);
  lineage.used_by = Walk(registry, Way::forward).from(start);
  std::set<size_t> lots;
  const auto add = [&](size_t index) {
    if (registry.artefacts()[index].kind == "lot") lots.insert(index);
  };
  add(start);
  for (const LineageStep& step : lineage.made_from)
    if (step.artefact >= 0) add(static_cast<size_t>(step.artefact));
  lineage.lots.assign(lots.begin(), lots.end());
  return lineage;
}

}  // namespace helio::jobs
