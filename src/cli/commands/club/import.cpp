// Register partners' lots: read their files, count them, seal each under its content root.
#include "cli/club_intake.h"
#include "core/version.h"

namespace helio::cli {
namespace {

class ClubImport final : public Command {
 public:
  Card card() const override {
    return {.required = {"sources", "out"},
            .examples = {"helio club import --config recipes/solar-mini.yaml#stages.lots --root "
                         "sources --out lots/all",
                         "helio club import --root sources --out lots/all --sources '[{lot: news, "
                         "partner: Daily, "
                         "language: ko, licence: CC-BY-4.0, path: news, format: html}]'"}};
  }

  void describe(Fields& f) override {
    f.input("root", root_, "Folder that the sources' paths start from.");
    f.raw("sources", sources_,
          "List of lots: {lot, partner, language, licence, path, format, field, documents, "
          "on_error, source, "
          "contact, terms}.");
    f.output("out", out_, "lots", "Folder of the lots.");
  }

  int run(Context& context) override {
    const std::vector<LotOptions> lots = read_sources(sources_);
    const std::vector<club::PartnerDetails> details = partner_details(lots);
    StagedDir staged(out_);
    std::vector<std::string> order;
    for (const LotOptions& lot : lots) {
      take_in(lot, root_, staged.path(), "club import", context);
      order.push_back(lot.lot);
    }
    club::seal_roster(staged.path(), order, details,
                      {.name = fs::path(out_).filename().string(),
                       .made_by = "club import",
                       .version = std::string(version()),
                       .code = code_hash("data"),
                       .options = {{"sources", sources_.json()}}});
    staged.commit();
    print_roster(club::load_roster(out_), context);
    return 0;
  }

 private:
  std::string root_ = {}, out_ = {};
  Node sources_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ClubImport)
