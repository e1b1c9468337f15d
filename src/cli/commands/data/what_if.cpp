// Try other limits on a finished dataset: what would be dropped or kept, from the stored figures.
#include "data/insight/what_if.h"

#include <fmt/format.h>

#include <cmath>
#include <ostream>

#include "cli/command.h"
#include "cli/table.h"

namespace helio::cli {
namespace {

std::string limit_text(double limit) {
  return std::isnan(limit) ? "off" : fmt::format("{:.6g}", limit);
}

std::string change_text(int64_t was, int64_t now) {
  return was == now ? "" : fmt::format("{:+}", now - was);
}

class DataWhatIf final : public Command {
 public:
  Card card() const override {
    return {.positional = {"dataset"},
            .required = {"dataset"},
            .examples = {"helio data what-if workspace/datasets/corpus --set "
                         "filter.length.min_words=50",
                         "helio data what-if workspace/datasets/corpus --set "
                         "'filter.gopher_quality [en].max_bullet_lines_ratio=0.5' --json"}};
  }

  void describe(Fields& f) override {
    f.input("dataset", dataset_, "The dataset; made with figures: deciding or all.");
    f("set", options_.settings,
      "STEP.OPTION=VALUE, as often as wanted. STEP is named as helio data explain shows it.");
    f("figures_only", figures_only_,
      "Measure no text again: documents let through by a changed limit stay open where further "
      "figures were not stored.");
    f("examples", examples_, "Ids shown of each kind of change.", at_least(0));
  }

  int run(Context& context) override {
    options_.measure = figures_only_ ? data::WhatIfOptions::Measure::figures_only
                                     : data::WhatIfOptions::Measure::texts;
    options_.examples = size_t(examples_);
    const data::WhatIf result = data::what_if(dataset_, options_);
    if (context.json) context.out << compact(result.json()) << '\n';
    else print(context.out, result);
    return 0;
  }

 private:
  static void print(std::ostream& out, const data::WhatIf& result) {
    for (const data::Setting& setting : result.settings) {
      out << fmt::format("{}.{}: {} -> {}\n", result.steps[setting.step].step, setting.option,
                         setting.from.dump(), setting.to.dump());
      for (const data::LimitChange& limit : setting.limits)
        out << fmt::format("  {}: limit {} -> {}\n", limit.reason, limit_text(limit.from),
                           limit_text(limit.to));
    }
    if (!result.settings.empty()) out << '\n';
    std::vector<std::vector<std::string>> rows;
    for (const data::WhatIfStep& step : result.steps) {
      std::string reasons;
      const auto reason = [&](const std::string& name, int64_t was, int64_t now) {
        if (was != now)
          reasons += fmt::format("{}{} {} -> {}", reasons.empty() ? "" : ", ", name, was, now);
      };
      for (const auto& [name, now] : step.now.reasons) {
        const auto was = step.was.reasons.find(name);
        reason(name, was == step.was.reasons.end() ? 0 : was->second, now);
      }
      for (const auto& [name, was] : step.was.reasons)
        if (!step.now.reasons.contains(name)) reason(name, was, 0);
      rows.push_back({step.step + (step.follows ? " *" : ""), std::to_string(step.now.in),
                      change_text(step.was.in, step.now.in), std::to_string(step.now.dropped),
                      change_text(step.was.dropped, step.now.dropped),
                      step.now.open ? std::to_string(step.now.open) : "", reasons});
    }
    out << table_text({{"step"},
                       {"in", Align::right},
                       {"", Align::right},
                       {"dropped", Align::right},
                       {"", Align::right},
                       {"open", Align::right},
                       {"reasons that changed"}},
                      rows);
    out << '\n';
    print_changes(out, result);
  }

  static void print_changes(std::ostream& out, const data::WhatIf& result) {
    struct Kind {
      const char* name;
      const char* about;
    };
    constexpr Kind kKinds[] = {
        {"lost", "kept so far, dropped now"},
        {"gained", "dropped so far, kept now"},
        {"reaches_stage", "dropped so far, now come to the next stage: open"},
        {"dropped_before", "dropped earlier than before"},
        {"other_reason", "dropped for another reason"},
        {"open", "let through, not measured further"}};
    for (const Kind& kind : kKinds) {
      const auto found = result.changes.find(kind.name);
      if (found == result.changes.end()) continue;
      out << fmt::format("{:>9} documents, {} words: {}\n", found->second.documents,
                         found->second.words, kind.about);
      for (const auto& [lot, kinds] : result.lots)
        if (const auto in_lot = kinds.find(kind.name); in_lot != kinds.end())
          out << fmt::format("{:>9}   {}\n", in_lot->second.documents, lot);
      if (const auto ids = result.examples.find(kind.name); ids != result.examples.end())
        for (const std::string& id : ids->second) out << "            such as " << id << '\n';
    }
    if (result.exact) {
      const OrderedJson json = result.json();
      out << fmt::format("{} documents were kept, {} would be.\n", result.kept_was,
                         json["kept_now"].get<int64_t>());
    } else {
      out << fmt::format(
          "{} documents were kept. How many would be depends on the steps marked *, which see "
          "other "
          "documents now: helio data run tells.\n",
          result.kept_was);
    }
  }

  std::string dataset_;
  data::WhatIfOptions options_ = {};
  bool figures_only_ = false;
  int64_t examples_ = 5;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataWhatIf)
