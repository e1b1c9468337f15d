#include "data/insight/what_if.h"

#include <algorithm>
#include <unordered_map>

#include "core/error.h"
#include "data/chunk.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

constexpr int kPasses = -1, kOpen = -2;

// What a segment makes of a document: a step of the pipeline drops it, it passes, or that is open.
struct Fate {
  int step = kPasses;
  int reason = -1;
  bool operator==(const Fate&) const = default;
};

struct Change {
  Fate was = {}, now = {};
  size_t segment = 0;
  int from = 0;  // first step to run again, when it is open
};

class Names {
 public:
  int of(std::string_view name) {
    const auto [found, added] = index_.try_emplace(std::string(name), int(names_.size()));
    if (added) names_.emplace_back(name);
    return found->second;
  }
  const std::string& operator[](int index) const { return names_[size_t(index)]; }

 private:
  std::map<std::string, int> index_ = {};
  std::vector<std::string> names_ = {};
};

// One rule of a segment's filters, as it was and as it would be.
struct Column {
  int step = 0, reason = 0;
  Check before = {}, after = {};
};

class Decider {
 public:
  Decider(const StoredDataset& dataset, const WhatIfOptions& options)
      : dataset_(dataset),
        options_(options),
        steps_(apply_settings(dataset, options.settings)),
        segments_(segments_of(steps_.after)),
        figures_(stored_figures(dataset.account)) {}

  WhatIf run() {
    result_.settings = steps_.settings;
    result_.kept_was = dataset_.account.at("out").at("documents").get<int64_t>();
    if (dataset_.account.at("steps").size() != steps_.after.size()) throw disagree("other steps");
    read_dropped();
    for (size_t i = 0; i < segments_.size(); ++i) decide_segment(i);
    if (!changes_.empty()) resolve();
    count();
    return std::move(result_);
  }

 private:
  Error disagree(const std::string& what) const {
    return Error(ErrorKind::invalid, "the stored figures do not fit the dataset: " + what)
        .with_hint("version " + dataset_.manifest.version +
                   " made it: helio data run makes it again with this one");
  }

  void read_dropped() {
    std::map<std::string, int, std::less<>> by_name;
    for (size_t i = 0; i < steps_.after.size(); ++i) by_name[steps_.after[i].name] = int(i);
    read_rows(dataset_.path, Rows::dropped, [&](const StoredRow& row) {
      const auto step = by_name.find(row.step);
      if (step == by_name.end())
        throw disagree("no step is called '" + std::string(row.step) + "'");
      dropped_[row.number] = {step->second, names_.of(row.reason)};
    });
  }

  // The segment's rules, checked against what was stored. Empty when it has no figures.
  std::vector<Column> columns_of(size_t index, const StoredFigures*& stored) {
    const auto before = figure_columns(steps_.before, segments_[index]);
    const auto after = figure_columns(steps_.after, segments_[index]);
    std::vector<Column> columns;
    if (before.empty()) return columns;
    const std::string& first = steps_.before[before[0].step].name;
    for (const StoredFigures& figures : figures_)
      if (!figures.columns.empty() && figures.columns[0].step == first) stored = &figures;
    if (!stored) return columns;
    if (stored->columns.size() != before.size()) throw disagree("other checks");
    for (size_t i = 0; i < before.size(); ++i) {
      const StoredColumn& column = stored->columns[i];
      const Check &then = column.check, &now = before[i].check;
      if (column.step != steps_.before[before[i].step].name || then.reason != now.reason ||
          then.drops != now.drops ||
          !(then.limit == now.limit || (std::isnan(then.limit) && std::isnan(now.limit))))
        throw disagree("the check '" + then.reason + "' of " + column.step + " is another now");
      columns.push_back({int(before[i].step), names_.of(now.reason), now, after[i].check});
    }
    return columns;
  }

  void decide_segment(size_t index) {
    const Segment& segment = segments_[index];
    const StoredFigures* stored = nullptr;
    const std::vector<Column> columns = columns_of(index, stored);
    if (!stored) {
      for (const Setting& setting : steps_.settings)
        if (setting.step >= segment.first && setting.step < segment.last &&
            dataset_.account.at("steps").at(setting.step).at("in").get<int64_t>() > 0)
          throw Error(ErrorKind::invalid,
                      "the dataset keeps no figures of " + steps_.after[setting.step].name)
              .with_hint("make it with helio data run --figures deciding, or all");
      return;
    }
    std::vector<bool> measured(columns.size(), false);
    read_figures(dataset_.path / stored->file, columns.size(),
                 [&](uint64_t number, std::span<const double> values) {
                   for (size_t i = 0; i < values.size(); ++i)
                     if (!std::isnan(values[i])) measured[i] = true;
                   if (changes_.contains(number)) return;  // it no longer comes this far
                   Fate was;
                   if (const auto found = dropped_.find(number);
                       found != dropped_.end() && found->second.step >= int(segment.first) &&
                       found->second.step < int(segment.last))
                     was = found->second;
                   Change change{.was = was, .segment = index};
                   change.now = decide(columns, values, number, change);
                   if (!(change.now == was)) changes_[number] = change;
                 });
    for (size_t i = 0; i < columns.size(); ++i)
      if (!measured[i] && std::isnan(columns[i].before.limit) &&
          !std::isnan(columns[i].after.limit))
        throw Error(ErrorKind::usage,
                    "'" + columns[i].before.reason + "' of " +
                        steps_.after[size_t(columns[i].step)].name +
                        " was switched off: nothing was measured that a limit could be tried on")
            .with_hint("run it once with a limit that drops nothing, then ask again");
  }

  // What the rules say now of a document whose fate in this segment is known.
  Fate decide(const std::vector<Column>& columns, std::span<const double> values, uint64_t number,
              Change& change) const {
    const size_t none = columns.size();
    size_t old_fails = none, now_fails = none;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (old_fails == none && columns[i].before.fails(values[i])) old_fails = i;
      if (now_fails == none && columns[i].after.fails(values[i])) now_fails = i;
    }
    const Fate& was = change.was;
    const bool by_filter =
        was.step >= 0 && steps_.before[size_t(was.step)].op->shape == Shape::filter;
    // What was measured on after a document was dropped may fail too: only the first counts.
    if (by_filter ? old_fails == none || columns[old_fails].step != was.step ||
                        columns[old_fails].reason != was.reason
                  : old_fails != none)
      throw disagree("document number " + std::to_string(number) + " has another fate by them");
    const auto fate_at = [&](size_t i) { return Fate{columns[i].step, columns[i].reason}; };
    if (now_fails != none && now_fails <= old_fails) return fate_at(now_fails);
    if (!by_filter) return was;
    // Let through by the check that dropped it. Was it measured on, as if it had stayed?
    size_t last = old_fails;
    for (size_t i = old_fails + 1; i < columns.size(); ++i)
      if (!std::isnan(values[i])) last = i;
    if (now_fails != none) return fate_at(now_fails);
    const int first_step = last == old_fails ? was.step : columns[last].step + 1;
    bool more = last == old_fails && old_fails + 1 < none;
    for (size_t i = size_t(first_step); i < segments_[change.segment].last; ++i)
      more |= steps_.after[i].op->shape == Shape::map;
    if (!more) return {};
    change.from = was.step;
    return {.step = kOpen};
  }

  // Reads the rows of the changed documents: to measure on what is open, and for words and ids.
  void resolve() {
    bool of_kept = false;
    for (const auto& [number, change] : changes_) of_kept |= !dropped_.contains(number);
    read_rows(dataset_.path, Rows::dropped, [&](const StoredRow& row) {
      const auto found = changes_.find(row.number);
      if (found == changes_.end()) return;
      Change& change = found->second;
      if (change.now.step == kOpen && options_.measure == WhatIfOptions::Measure::texts)
        change.now = run_again(row, change);
      if (change.now == change.was) changes_.erase(found);
      else note(row, change);
    });
    if (!of_kept) return;
    read_rows(dataset_.path, Rows::kept, [&](const StoredRow& row) {
      if (const auto found = changes_.find(row.number); found != changes_.end())
        note(row, found->second);
    });
  }

  // The rest of the segment, on the text the document was dropped with.
  Fate run_again(const StoredRow& row, const Change& change) {
    const size_t last = segments_[change.segment].last;
    for (size_t i = size_t(change.from); i < last; ++i)
      if (steps_.after[i].op->name == "extract.html") return change.now;  // it may be a page yet
    Document document = document_of(Json::parse(row.line));
    Counters nobody;
    for (size_t i = size_t(change.from); i < last; ++i) {
      const Step& step = steps_.after[i];
      if (!step.concerns(document)) continue;
      const auto* filter = std::get_if<std::unique_ptr<Filter>>(&step.run);
      const Verdict verdict = in_context(
          [&] { return "running " + step.name + " on " + document.id; },
          [&] {
            return filter ? (*filter)->judge(document)
                          : std::get<std::unique_ptr<Map>>(step.run)->apply(document, nobody);
          });
      if (!verdict.kept) return {int(i), names_.of(verdict.reason)};
    }
    return {};
  }

  const char* kind_of(uint64_t number, const Change& change) const {
    if (change.now.step == kOpen) return "open";
    if (change.was.step >= 0 && change.now.step >= 0) return "other_reason";
    if (change.was.step >= 0)
      return change.segment + 1 == segments_.size() ? "gained" : "reaches_stage";
    return dropped_.contains(number) ? "dropped_before" : "lost";
  }

  void note(const StoredRow& row, const Change& change) {
    const char* kind = kind_of(row.number, change);
    const ChangedAmount amount{1, text::count_words(row.text)};
    for (ChangedAmount* sum : {&result_.changes[kind], &result_.lots[std::string(row.lot)][kind]})
      sum->documents += amount.documents, sum->words += amount.words;
    auto& ids = result_.examples[kind];
    if (ids.size() < options_.examples) ids.emplace_back(row.id);
  }

  void count() {
    for (const Json& step : dataset_.account.at("steps")) {
      Decided was{.in = step.at("in").get<int64_t>(), .dropped = step.at("dropped").get<int64_t>()};
      for (const auto& [reason, count] : step.at("reasons").items())
        was.reasons[reason] = count.get<int64_t>();
      result_.steps.push_back({.step = step.at("step").get<std::string>(), .was = was, .now = was});
    }
    const auto add = [&](const Fate& fate, int64_t count) {
      Decided& step = result_.steps.at(size_t(fate.step)).now;
      step.dropped += count;
      if ((step.reasons[names_[fate.reason]] += count) == 0)
        step.reasons.erase(names_[fate.reason]);
    };
    size_t follows = result_.steps.size();
    for (const auto& [number, change] : changes_) {
      const std::string kind = kind_of(number, change);
      const Segment& segment = segments_[change.segment];
      if (change.was.step >= 0) add(change.was, -1);
      if (kind == "dropped_before") add(dropped_.at(number), -1);
      if (kind == "open") ++result_.steps[size_t(change.from)].now.open;
      if (kind == "reaches_stage") ++result_.steps[segment.last].now.open;
      if (change.now.step >= 0) add(change.now, 1);
      if (kind == "open") result_.exact = false;
      if (segment.closes && kind != "other_reason") {
        result_.exact = false;
        follows = std::min(follows, segment.last);
      }
    }
    for (size_t i = 0; i < result_.steps.size(); ++i) {
      result_.steps[i].follows = i >= follows;
      if (i == 0) continue;
      const Decided& before = result_.steps[i - 1].now;
      result_.steps[i].now.in = before.in - before.dropped - before.open;
    }
  }

  const StoredDataset& dataset_;
  const WhatIfOptions& options_;
  ChangedSteps steps_;
  std::vector<Segment> segments_;
  std::vector<StoredFigures> figures_;
  WhatIf result_ = {};
  Names names_ = {};
  std::unordered_map<uint64_t, Fate> dropped_ = {};
  std::map<uint64_t, Change> changes_ = {};
};

OrderedJson json_of(const Decided& decided) {
  return {{"in", decided.in},
          {"dropped", decided.dropped},
          {"open", decided.open},
          {"out", decided.in - decided.dropped - decided.open},
          {"reasons", decided.reasons}};
}

OrderedJson json_of(const std::map<std::string, ChangedAmount>& changes) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [kind, amount] : changes)
    json[kind] = {{"documents", amount.documents}, {"words", amount.words}};
  return json;
}

OrderedJson limit_json(double limit) {
  return std::isnan(limit) ? OrderedJson(nullptr) : OrderedJson(limit);
}

}  // namespace

OrderedJson WhatIf::json() const {
  OrderedJson json{{"set", OrderedJson::array()}};
  for (const Setting& setting : settings) {
    OrderedJson limits = OrderedJson::array();
    for (const LimitChange& limit : setting.limits)
      limits.push_back({{"reason", limit.reason},
                        {"from", limit_json(limit.from)},
                        {"to", limit_json(limit.to)}});
    json["set"].push_back({{"step", steps.at(setting.step).step},
                           {"option", setting.option},
                           {"from", setting.from},
                           {"to", setting.to},
                           {"limits", std::move(limits)}});
  }
  json["exact"] = exact;
  json["kept_was"] = kept_was;
  const auto documents = [&](const char* kind) {
    const auto found = changes.find(kind);
    return found == changes.end() ? 0 : found->second.documents;
  };
  json["kept_now"] = exact ? OrderedJson(kept_was - documents("lost") + documents("gained"))
                           : OrderedJson(nullptr);
  json["steps"] = OrderedJson::array();
  for (const WhatIfStep& step : steps)
    json["steps"].push_back({{"step", step.step},
                             {"was", json_of(step.was)},
                             {"now", json_of(step.now)},
                             {"after_a_changed_stage", step.follows}});
  json["changes"] = json_of(changes);
  json["lots"] = OrderedJson::object();
  for (const auto& [lot, kinds] : lots) json["lots"][lot] = json_of(kinds);
  json["examples"] = examples;
  return json;
}

WhatIf what_if(const std::filesystem::path& dataset, const WhatIfOptions& options) {
  return reading(dataset, [&] {
    const StoredDataset stored(dataset);
    return Decider(stored, options).run();
  });
}

}  // namespace helio::data
