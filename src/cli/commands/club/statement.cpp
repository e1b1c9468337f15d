// State what each partner is owed: tokens given, surviving, trained on, share of a pool.
#include "club/statement.h"

#include <fmt/format.h>

#include <ostream>

#include "cli/command.h"
#include "cli/table.h"
#include "club/statement_inputs.h"
#include "core/fs.h"
#include "core/options.h"
#include "core/version.h"

namespace helio::cli {
namespace {

using club::PartnerStatement;

std::string grouped(int64_t value) { return fmt::format("{}", fmt::group_digits(value)); }

class ClubStatement final : public Command {
 public:
  Card card() const override {
    return {
        .required = {"lots", "dataset", "tokens", "runs", "out"},
        .examples = {
            "helio club statement --lots lots/all --dataset datasets/corpus --tokens tokens/corpus "
            "--runs runs/base runs/recovered --pool 1000000 --out statements/2026-11"}};
  }

  void describe(Fields& f) override {
    f.input("lots", lots_, "The partners' lots (helio club import).");
    f.input("dataset", dataset_, "Dataset made from them (helio data run).");
    f.input("tokens", tokens_, "Token shards made from it (helio tokens build).");
    f.input("runs", runs_, "Training runs that count, or the models they made.");
    f("pool", pool_, "Amount to divide, in whole units of the currency.", at_least(0));
    f("currency", currency_, "What the amounts are in (ISO 4217).");
    f("shared_text", shared_text_,
      "Text that several partners gave: credited to all of them in equal parts, or to the lot "
      "whose copy was kept.",
      one_of({"split", "first"}));
    f.output("out", out_, "statements", "Folder of statement.json and statement.csv.");
  }

  int run(Context& context) override {
    const club::SharedText rule =
        shared_text_ == "split" ? club::SharedText::split : club::SharedText::first;
    Manifest manifest = manifest_of();
    club::StatementInputs inputs =
        club::gather_statement_inputs({.lots = lots_,
                                       .dataset = dataset_,
                                       .tokens = tokens_,
                                       .runs = {runs_.begin(), runs_.end()}},
                                      rule);
    inputs.pool = pool_;
    inputs.currency = currency_;
    const club::Statement statement = club::make_statement(std::move(inputs));

    StagedDir staged(out_);
    write_file_atomic(staged.path() / "statement.json", pretty(statement.json()));
    write_file_atomic(staged.path() / "statement.csv", statement.csv());
    manifest.facts = {{"pool", statement.pool},
                      {"currency", statement.currency},
                      {"partners", statement.partners.size()},
                      {"trained", statement.totals.trained},
                      {"shared_text", shared_text_}};
    seal_artefact(staged.path(), manifest);
    staged.commit();
    if (context.json) context.out << compact(statement.json()) << "\n";
    else print(statement, context.out);
    return 0;
  }

 private:
  Manifest manifest_of() const {
    Manifest manifest{.kind = "statement",
                      .name = fs::path(out_).filename().string(),
                      .made_by = "club statement",
                      .version = std::string(version()),
                      .code = code_hash("club")};
    manifest.inputs = {describe_input("lots", lots_), describe_input("dataset", dataset_),
                       describe_input("tokens", tokens_)};
    for (const std::string& run : runs_)
      // A run's folder holds logs with clock times; what it says about tokens is one file.
      manifest.inputs.push_back(has_manifest(run)
                                    ? describe_input("runs", run)
                                    : describe_input("runs", club::find_run_lots(run)));
    manifest.options = {{"pool", pool_}, {"currency", currency_}, {"shared_text", shared_text_}};
    return manifest;
  }

  static std::vector<std::string> row(const club::Statement& statement,
                                      const PartnerStatement& of) {
    return {of.partner,
            grouped(of.documents_in),
            grouped(of.words_in),
            grouped(of.documents_surviving),
            grouped(of.words_surviving),
            grouped(of.tokens),
            grouped(of.trained),
            grouped(of.received - of.given),
            fmt::format("{:.3f} %", 100.0 * statement.share(of)),
            grouped(of.amount)};
  }

  static void print(const club::Statement& statement, std::ostream& out) {
    std::vector<std::vector<std::string>> rows;
    for (const PartnerStatement& partner : statement.partners)
      rows.push_back(row(statement, partner));
    out << table_text({{"partner"},
                       {"documents in", Align::right},
                       {"words in", Align::right},
                       {"documents kept", Align::right},
                       {"words kept", Align::right},
                       {"tokens", Align::right},
                       {"trained on", Align::right},
                       {"shared ±", Align::right},
                       {"share", Align::right},
                       {statement.currency, Align::right}},
                      rows, row(statement, statement.totals))
        << "runs: ";
    std::string runs;
    for (const club::RunUse& run : statement.runs)
      runs +=
          (runs.empty() ? "" : ", ") + fmt::format("{} ({} tokens)", run.name, grouped(run.tokens));
    out << runs << "\n";
  }

  std::string lots_ = {}, dataset_ = {}, tokens_ = {}, out_ = {};
  std::vector<std::string> runs_ = {};
  int64_t pool_ = 1'000'000;
  std::string currency_ = "KRW", shared_text_ = "split";
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ClubStatement)
