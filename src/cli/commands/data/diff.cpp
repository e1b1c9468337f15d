// Compare two datasets: documents only in one, with another text, kept here and dropped there.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "cli/command.h"
#include "cli/table.h"
#include "data/insight/compare.h"

namespace helio::cli {
namespace {

struct Kind {
  const char* name;
  const char* about;
};
constexpr Kind kKinds[] = {{"same", "kept in both, same text"},
                           {"text", "kept in both, another text"},
                           {"kept_to_dropped", "kept in A, dropped in B"},
                           {"dropped_to_kept", "dropped in A, kept in B"},
                           {"both_dropped", "dropped in both, for the same reason"},
                           {"other_reason", "dropped in both, for another reason"},
                           {"only_a_kept", "only in A, kept"},
                           {"only_a_dropped", "only in A, dropped"},
                           {"only_b_kept", "only in B, kept"},
                           {"only_b_dropped", "only in B, dropped"}};

class DataDiff final : public Command {
 public:
  Card card() const override {
    return {.positional = {"a", "b"},
            .required = {"a", "b"},
            .examples = {"helio data diff workspace/datasets/old workspace/datasets/new",
                         "helio data diff old new --examples 20 --json"}};
  }

  void describe(Fields& f) override {
    f.input("a", a_, "One dataset.");
    f.input("b", b_, "The other.");
    f("examples", examples_, "Ids shown of each kind of difference.", at_least(0));
    f("check", check_, "Exit with 5 when they differ.");
  }

  int run(Context& context) override {
    const data::Comparison result = data::compare_datasets(a_, b_, {.examples = size_t(examples_)});
    if (context.json) context.out << compact(result.json()) << '\n';
    else print(context.out, result);
    return check_ && !result.equal() ? 5 : 0;
  }

 private:
  static void print(std::ostream& out, const data::Comparison& result) {
    out << fmt::format("A  {}: {} kept, {} dropped\nB  {}: {} kept, {} dropped\n\n", result.a.path,
                       result.a.kept, result.a.dropped, result.b.path, result.b.kept,
                       result.b.dropped);
    std::vector<std::vector<std::string>> rows;
    std::vector<Column> columns{{"lot"}};
    std::vector<const char*> shown;
    for (const Kind& kind : kKinds) {
      const auto found = result.kinds.find(kind.name);
      if (found == result.kinds.end()) continue;
      out << fmt::format("{:>9}  {}\n", found->second, kind.about);
      shown.push_back(kind.name);
      columns.push_back({kind.name, Align::right});
      if (const auto reasons = result.reasons.find(kind.name);
          reasons != result.reasons.end() && std::string_view(kind.name) != "both_dropped")
        print_reasons(out, reasons->second);
      if (const auto ids = result.examples.find(kind.name); ids != result.examples.end())
        for (const std::string& id : ids->second) out << "             such as " << id << '\n';
    }
    for (const auto& [lot, kinds] : result.lots) {
      std::vector<std::string> row{lot};
      for (const char* kind : shown) {
        const auto count = kinds.find(kind);
        row.push_back(count == kinds.end() ? "" : std::to_string(count->second));
      }
      rows.push_back(std::move(row));
    }
    out << '\n' << table_text(columns, rows);
  }

  static void print_reasons(std::ostream& out, const std::map<std::string, int64_t>& reasons) {
    std::vector<std::pair<int64_t, std::string>> sorted;
    for (const auto& [reason, count] : reasons) sorted.emplace_back(-count, reason);
    std::sort(sorted.begin(), sorted.end());
    for (const auto& [count, reason] : sorted) out << fmt::format("{:>11}    {}\n", -count, reason);
  }

  std::string a_, b_;
  int64_t examples_ = 5;
  bool check_ = false;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::DataDiff)
