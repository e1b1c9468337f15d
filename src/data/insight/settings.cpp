#include "data/insight/settings.h"

#include <algorithm>
#include <bit>

#include "core/error.h"

namespace helio::data {
namespace {

constexpr size_t kProbes = 100;  // texts of each kind on which old and new measures are compared

struct Parsed {
  size_t step = 0;
  std::string option = {}, value = {};
};

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

// Step names hold dots and spaces: the longest one that `name` begins with, or an operator's name
// that only one step has.
Parsed parse(const std::string& text, const std::vector<Step>& steps) {
  const size_t equals = text.find('=');
  if (equals == text.npos || equals == 0)
    throw Error(ErrorKind::usage, "--set " + text + " is not STEP.OPTION=VALUE")
        .with_hint("for example: --set filter.length.min_words=20");
  const std::string name = text.substr(0, equals);
  Parsed parsed{.value = text.substr(equals + 1)};
  size_t longest = 0;
  std::vector<std::string> same_op;
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto begins = [&](const std::string& prefix) { return name.starts_with(prefix + "."); };
    if (begins(steps[i].name) && steps[i].name.size() > longest) {
      longest = steps[i].name.size();
      parsed.step = i;
    }
    if (begins(steps[i].op->name)) same_op.push_back(steps[i].name);
  }
  if (longest == 0 && same_op.size() == 1) {
    const auto found = std::find_if(steps.begin(), steps.end(),
                                    [&](const Step& step) { return step.name == same_op[0]; });
    parsed.step = size_t(found - steps.begin());
    longest = found->op->name.size();
  }
  if (longest == 0) {
    if (!same_op.empty())
      throw Error(ErrorKind::usage, "--set " + name + " fits several steps: " + joined(same_op))
          .with_hint("give the step's whole name, in quotes: --set '" + same_op[0] +
                     ".OPTION=...'");
    std::vector<std::string> names;
    for (const Step& step : steps) names.push_back(step.name);
    const std::string near = nearest(name.substr(0, name.rfind('.')), names);
    throw Error(ErrorKind::usage, "--set " + name + ": the dataset was made by no such step")
        .with_hint((near.empty() ? "" : "did you mean '" + near + "'? ") +
                   "steps: " + joined(names));
  }
  parsed.option = name.substr(longest + 1);
  const Op& op = *steps[parsed.step].op;
  std::vector<std::string> options;
  for (const FieldInfo& field : op.fields) options.push_back(field.name);
  if (std::find(options.begin(), options.end(), parsed.option) == options.end()) {
    const std::string near = nearest(parsed.option, options);
    throw Error(ErrorKind::usage, op.name + " has no option '" + parsed.option + "'")
        .with_hint((near.empty() ? "" : "did you mean '" + near + "'? ") +
                   "options: " + joined(options));
  }
  return parsed;
}

const Filter& filter_of(const Step& step, const std::string& option) {
  if (const auto* filter = std::get_if<std::unique_ptr<Filter>>(&step.run)) return **filter;
  const std::string shape(name_of(step.op->shape));
  throw Error(ErrorKind::usage, "'" + option + "' belongs to " + step.name + ", which is a " +
                                    shape + ": it keeps no figures that could be decided again")
      .with_hint("helio data run with the changed recipe begins at this step");
}

[[noreturn]] void not_a_limit(const Step& step, const std::string& option) {
  throw Error(ErrorKind::usage,
              "'" + option + "' changes what " + step.name +
                  " measures, not only its limits: the stored figures cannot tell")
      .with_hint("helio data run with the changed recipe measures again, from this step on");
}

// Both filters over a few of the dataset's texts: figures that differ were not only limited.
bool measure_alike(const StoredDataset& dataset, const Filter& before, const Filter& after) {
  bool alike = true;
  const size_t checks = before.checks().size();
  std::vector<double> old_values(checks), new_values(checks);
  for (const Rows which : {Rows::kept, Rows::dropped}) {
    size_t probes = 0;
    struct Enough {};
    try {
      read_rows(dataset.path, which, [&](const StoredRow& row) {
        if (probes++ == kProbes || !alike) throw Enough();
        Document document;
        document.text = row.text, document.language = row.language, document.lot = row.lot;
        Figures old_figures(before.checks(), old_values, Figures::Until::all);
        Figures new_figures(after.checks(), new_values, Figures::Until::all);
        before.measure(document, old_figures);
        after.measure(document, new_figures);
        for (size_t i = 0; i < checks; ++i) {
          const double a = old_values[i], b = new_values[i];
          // A check without a limit need not be measured.
          if (std::isnan(before.checks()[i].limit) || std::isnan(after.checks()[i].limit)) continue;
          if (a != b && !(std::isnan(a) && std::isnan(b))) alike = false;
        }
      });
    } catch (const Enough&) {}
  }
  return alike;
}

bool same_limit(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

ChangedSteps apply_settings(const StoredDataset& dataset,
                            const std::vector<std::string>& settings) {
  ChangedSteps changed;
  Node steps = dataset.steps_node();
  changed.before = dataset.steps();
  changed.after = dataset.steps();
  for (const std::string& text : settings) {
    const Parsed parsed = parse(text, changed.before);
    const Step& named = changed.before[parsed.step];
    filter_of(named, parsed.option);
    Node value = parse_yaml(parsed.value, "--set " + named.name + "." + parsed.option);
    steps.items()[parsed.step].set_path(parsed.option, std::move(value));
    std::vector<Step> next = read_steps(steps);
    const Step &before = changed.after[parsed.step], &after = next[parsed.step];
    const auto& old_checks = filter_of(before, parsed.option).checks();
    const auto& new_checks = filter_of(after, parsed.option).checks();
    Setting setting{.step = parsed.step, .option = parsed.option};
    const auto at = [&](const OrderedJson& options) {
      std::string pointer = "/" + parsed.option;
      std::replace(pointer.begin(), pointer.end(), '.', '/');
      const OrderedJson::json_pointer where(pointer);
      return options.contains(where) ? options.at(where) : OrderedJson();
    };
    setting.from = at(before.options), setting.to = at(after.options);
    if (old_checks.size() != new_checks.size()) not_a_limit(after, parsed.option);
    for (size_t i = 0; i < old_checks.size(); ++i) {
      const Check &old_check = old_checks[i], &new_check = new_checks[i];
      if (old_check.reason != new_check.reason || old_check.drops != new_check.drops)
        not_a_limit(after, parsed.option);
      if (!same_limit(old_check.limit, new_check.limit))
        setting.limits.push_back({new_check.reason, old_check.limit, new_check.limit});
    }
    if (before.options != after.options &&
        (setting.limits.empty() || !measure_alike(dataset, filter_of(before, parsed.option),
                                                  filter_of(after, parsed.option))))
      not_a_limit(after, parsed.option);
    changed.settings.push_back(std::move(setting));
    changed.after = std::move(next);
  }
  return changed;
}

}  // namespace helio::data
