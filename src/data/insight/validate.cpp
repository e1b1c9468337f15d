#include "data/insight/validate.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/fs.h"
#include "core/options.h"
#include "data/insight/order_rules.h"
#include "data/dataverse/dataverse.h"
#include "data/memory_size.h"
#include "data/pipeline.h"

namespace helio::data {
namespace {

class Validator {
 public:
  Validator(const Node& root, std::string file) : root_(root), file_(std::move(file)) {}

  Validation run() {
    if (is_dataverse(root_)) {
      result_.stages.emplace_back();
      dataverse();
    } else if (root_.is_list()) {
      result_.stages.emplace_back();
      steps(root_);
    } else if (const Node* stages = root_.is_map() ? root_.find("stages") : nullptr) {
      recipe(*stages);
    } else if (root_.is_map() && root_.find("steps")) {
      result_.stages.emplace_back();
      options(root_);
    } else {
      throw Error(ErrorKind::invalid, "'" + file_ + "' is neither a recipe nor steps of a pipeline")
          .with_hint("a recipe has 'stages', a file of steps a list or the key 'steps'");
    }
    return std::move(result_);
  }

 private:
  void recipe(const Node& stages) {
    if (!stages.is_map())
      throw Error(ErrorKind::invalid, stages.mark().str() + ": 'stages' maps names to stages");
    for (const auto& entry : stages.entries()) {
      const Node* kind = entry.value.is_map() ? entry.value.find("kind") : nullptr;
      if (kind && kind->is_scalar() && kind->text() == "data run") {
        stage_ = entry.key;
        result_.stages.push_back(stage_);
        options(entry.value);
      }
      known_.insert(entry.key);
    }
    if (result_.stages.empty())
      throw Error(ErrorKind::invalid, "'" + file_ + "' has no stage of kind 'data run'");
  }

  void dataverse() {
    attempt(root_.mark(), {}, [&] {
      const DataverseRecipe recipe = read_dataverse(root_);
      for (const std::string& note : recipe.notes) {
        const size_t end = note.find(": ");  // "file:line:column: what"
        result_.problems.push_back({Problem::Weight::warning, note.substr(0, end), stage_, {},
                                    note.substr(end + 2), {}});
      }
      if (!recipe.steps.items().empty()) steps(recipe.steps);
    });
  }

  // Each option alone, so that one that is wrong does not hide the next.
  void options(const Node& node) {
    bool has_steps = false;
    for (const auto& entry : node.entries()) {
      if (entry.key == "kind" && !stage_.empty()) continue;
      if (entry.key == "steps") {
        has_steps = true;
        steps(entry.value);
        continue;
      }
      Node one = Node::map(node.mark());
      one.set(entry.key, entry.key_mark, entry.value);
      attempt(entry.key_mark, {}, [&] {
        PipelineOptions options;
        read_options(one, describe(options));
        if (entry.key == "memory") parse_memory(options.memory);
        if (entry.key == "lots") paths(entry.value);
      });
    }
    if (!has_steps) error(node.mark(), {}, "no 'steps'", "helio data ops lists the operators");
  }

  // An earlier stage, an input of the recipe, or a path that is there.
  void paths(const Node& node) {
    if (node.is_list()) {
      for (const Node& item : node.items()) paths(item);
      return;
    }
    const Node* inputs = root_.is_map() ? root_.find("inputs") : nullptr;
    const std::string& name = node.text();
    if (!node.is_scalar() || known_.contains(name) || (inputs && inputs->find(name))) return;
    if (fs::exists(name) || fs::exists(fs::path(file_).parent_path() / name)) return;
    const std::string near = nearest(name, {known_.begin(), known_.end()});
    warn(node.mark(), {}, "'" + name + "' is no earlier stage, and no such path is there now",
         near.empty() ? "" : "did you mean '" + near + "'?");
  }

  void steps(const Node& list) {
    if (!list.is_list() || list.items().empty()) {
      error(list.mark(), {}, "'steps' is a list of operators", "helio data ops lists them");
      return;
    }
    std::vector<OrderedStep> read;
    for (const Node& item : list.items()) {
      ++result_.steps;
      Node one = Node::list(item.mark());
      one.push_back(item);
      try {
        std::vector<Step> steps = read_steps(one);
        read.push_back({std::move(steps[0]), item.mark()});
      } catch (const Error& problem) {
        if (!options_of(item)) note(problem, item.mark(), name_of_step(item));
      }
    }
    for (const OrderFinding& finding : find_order_mistakes(read))
      warn(finding.mark, finding.step, finding.message, finding.hint);
  }

  static std::string name_of_step(const Node& item) {
    if (item.is_scalar()) return item.text();
    const Node* op = item.is_map() ? item.find("op") : nullptr;
    return op && op->is_scalar() ? op->text() : "";
  }

  // Notes every option that is wrong by itself; false when none is.
  bool options_of(const Node& item) {
    const auto found = ops().find(name_of_step(item));
    if (found == ops().end() || !item.is_map()) return false;
    bool noted = false;
    for (const auto& entry : item.entries()) {
      if (entry.key == "op" || entry.key == "for") continue;
      Node one = Node::map(item.mark());
      one.set(entry.key, entry.key_mark, entry.value);
      noted |= !attempt(entry.key_mark, found->first, [&] { found->second.resolve(one); });
    }
    return noted;
  }

  template <class Try>
  bool attempt(const Mark& mark, const std::string& step, Try&& body) {
    try {
      body();
      return true;
    } catch (const Error& problem) {
      note(problem, mark, step);
      return false;
    }
  }

  // The place an error names itself is nearer than where it was met.
  void note(const Error& problem, const Mark& mark, const std::string& step) {
    std::string message = problem.message(), place = mark.str();
    if (!mark.source.empty() && message.starts_with(mark.source + ":")) {
      const size_t end = message.find(": ");
      if (end != message.npos) {
        place = message.substr(0, end);
        message = message.substr(end + 2);
      }
    }
    result_.problems.push_back(
        {Problem::Weight::error, place, stage_, step, message, problem.hint()});
  }
  void error(const Mark& mark, const std::string& step, std::string message, std::string hint) {
    result_.problems.push_back(
        {Problem::Weight::error, mark.str(), stage_, step, std::move(message), std::move(hint)});
  }
  void warn(const Mark& mark, const std::string& step, std::string message, std::string hint) {
    result_.problems.push_back(
        {Problem::Weight::warning, mark.str(), stage_, step, std::move(message), std::move(hint)});
  }

  const Node& root_;
  std::string file_, stage_ = {};
  std::set<std::string> known_ = {};  // earlier stages
  Validation result_ = {};
};

}  // namespace

size_t Validation::count(Problem::Weight weight) const {
  return size_t(std::count_if(problems.begin(), problems.end(),
                              [&](const Problem& problem) { return problem.weight == weight; }));
}

OrderedJson Validation::json() const {
  OrderedJson list = OrderedJson::array();
  for (const Problem& problem : problems)
    list.push_back({{"weight", problem.weight == Problem::Weight::error ? "error" : "warning"},
                    {"place", problem.place},
                    {"stage", problem.stage},
                    {"step", problem.step},
                    {"message", problem.message},
                    {"hint", problem.hint}});
  return {{"valid", count(Problem::Weight::error) == 0},
          {"errors", count(Problem::Weight::error)},
          {"warnings", count(Problem::Weight::warning)},
          {"stages", stages},
          {"steps", steps},
          {"problems", std::move(list)}};
}

Validation validate(const Node& root, const std::string& file) {
  return Validator(root, file).run();
}

}  // namespace helio::data
