// Show what an artefact was made from, back to the partners' lots, and what was made from it.
#include "jobs/lineage.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "cli/table.h"

namespace helio::cli {
namespace {

using jobs::Artefact;
using jobs::LineageStep;

std::string short_hash(const std::string& content) { return content.substr(0, 12); }

OrderedJson artefact_json(const Artefact& artefact) {
  return {{"path", artefact.path},       {"kind", artefact.kind},
          {"name", artefact.name},       {"content", artefact.content},
          {"made_by", artefact.made_by}, {"version", artefact.version}};
}

std::string fact(const Artefact& artefact, const char* key) {
  const auto found = artefact.facts.find(key);
  if (found == artefact.facts.end()) return "—";
  if (found->is_number_integer())
    return fmt::format("{}", fmt::group_digits(found->get<int64_t>()));
  return found->is_string() ? found->get<std::string>() : found->dump();
}

class LineageCommand final : public Command {
 public:
  Card card() const override {
    return {
        .positional = {"name"},
        .required = {"name"},
        .examples = {"helio lineage models/base", "helio lineage news-ko --workspace /data/solar",
                     "helio lineage 3fa91c02d7 --json"}};
  }

  void describe(Fields& f) override {
    f("name", name_,
      "The artefact: models/NAME, a name that only it has, or 6 digits of its hash.");
    f("workspace", workspace_, "Folder of everything that runs made.");
  }

  int run(Context& context) override {
    const jobs::Registry registry(workspace_);
    for (const std::string& problem : registry.problems()) context.monitor.warn(problem);
    const jobs::Lineage lineage = jobs::trace(registry, registry.find(name_));
    if (context.json) context.out << compact(json_of(registry, lineage)) << "\n";
    else print(context.out, registry, lineage);
    return 0;
  }

 private:
  static OrderedJson json_of(const jobs::Registry& registry, const jobs::Lineage& lineage) {
    const auto& all = registry.artefacts();
    const auto steps = [&](const std::vector<LineageStep>& list) {
      OrderedJson out = OrderedJson::array();
      for (const LineageStep& step : list) {
        OrderedJson row = {{"depth", step.depth}, {"role", step.role}, {"repeated", step.repeated}};
        if (step.artefact >= 0) row.update(artefact_json(all[static_cast<size_t>(step.artefact)]));
        else
          row.update(OrderedJson{{"path", nullptr},
                                 {"kind", step.input.kind},
                                 {"name", step.input.name},
                                 {"content", step.input.content}});
        out.push_back(std::move(row));
      }
      return out;
    };
    OrderedJson lots = OrderedJson::array();
    for (const size_t index : lineage.lots) {
      OrderedJson row = artefact_json(all[index]);
      row["facts"] = all[index].facts;
      lots.push_back(std::move(row));
    }
    return {{"artefact", artefact_json(all[lineage.start])},
            {"made_from", steps(lineage.made_from)},
            {"used_by", steps(lineage.used_by)},
            {"lots", std::move(lots)}};
  }

  static void print_tree(std::ostream& out, const jobs::Registry& registry, const char* title,
                         const std::vector<LineageStep>& steps) {
    if (steps.empty()) return;
    out << "\n" << title << "\n";
    std::vector<bool> ended;  // by depth: nothing more comes at that level
    for (const LineageStep& step : steps) {
      ended.resize(static_cast<size_t>(step.depth));
      ended.back() = step.last;
      for (size_t level = 0; level + 1 < ended.size(); ++level)
        out << (ended[level] ? "   " : "│  ");
      out << (step.last ? "└─ " : "├─ ") << step.role << ": ";
      if (step.artefact < 0) {
        out << fmt::format("{} ({}, {}, not in this workspace)\n", step.input.name, step.input.kind,
                           short_hash(step.input.content));
        continue;
      }
      const Artefact& artefact = registry.artefacts()[static_cast<size_t>(step.artefact)];
      out << fmt::format("{}  {}  helio {}{}\n", artefact.path, short_hash(artefact.content),
                         artefact.made_by, step.repeated ? "  (see above)" : "");
    }
  }

  static void print(std::ostream& out, const jobs::Registry& registry,
                    const jobs::Lineage& lineage) {
    const auto& all = registry.artefacts();
    const Artefact& start = all[lineage.start];
    out << fmt::format("{}  {}  {}  helio {} ({})\n", start.path, start.kind,
                       short_hash(start.content), start.made_by, start.version);
    print_tree(out, registry, "made from", lineage.made_from);
    print_tree(out, registry, "used by", lineage.used_by);
    if (lineage.lots.empty()) return;
    std::vector<std::vector<std::string>> rows;
    for (const size_t index : lineage.lots) {
      const Artefact& lot = all[index];
      rows.push_back({fact(lot, "partner"), lot.name, fact(lot, "language"), fact(lot, "licence"),
                      fact(lot, "documents"), fact(lot, "words"),
                      short_hash(fact(lot, "content_root"))});
    }
    out << "\n"
        << table_text({{"partner"},
                       {"lot"},
                       {"language"},
                       {"licence"},
                       {"documents", Align::right},
                       {"words", Align::right},
                       {"content root"}},
                      rows);
  }

  std::string name_ = {};
  std::string workspace_ = "workspace";
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::LineageCommand)
