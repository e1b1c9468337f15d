// Add one lot to a folder of lots, or begin one with it.
#include <system_error>

#include "cli/club_intake.h"
#include "core/error.h"
#include "core/version.h"

namespace helio::cli {
namespace {

// The lots already there, without copying their bytes where the file system allows it.
void link_folder(const fs::path& from, const fs::path& to) {
  make_dirs(to);
  for (const fs::path& file : list_files(from)) {
    const fs::path target = to / fs::relative(file, from);
    make_dirs(target.parent_path());
    std::error_code cannot_link;
    fs::create_hard_link(file, target, cannot_link);
    if (cannot_link) fs::copy_file(file, target);
  }
}

class ClubAddLot final : public Command {
 public:
  Card card() const override {
    return {.positional = {"lots", "path"},
            .required = {"lots", "path", "lot", "partner", "language", "licence"},
            .examples = {
                "helio club add-lot lots/all delivery/2026-11 --lot news-2026-11 --partner Daily "
                "--language ko --licence CC-BY-4.0"}};
  }

  void describe(Fields& f) override {
    f("lots", lots_, "Folder of lots; made when it is not there.");
    options_.describe(f);
  }

  int run(Context& context) override {
    const fs::path target = fs::path(lots_).lexically_normal();
    club::Roster before;
    if (fs::exists(target)) before = club::load_roster(target);
    if (before.find(options_.lot))
      throw Error(ErrorKind::invalid, "there is a lot '" + options_.lot + "' already")
          .with_hint(
              "a lot is never changed after it was taken in; give the new delivery its own name");
    StagedDir staged(target);
    std::vector<std::string> order;
    for (const club::LotEntry& lot : before.lots) {
      link_folder(lot.path, staged.path() / lot.info.lot);
      order.push_back(lot.info.lot);
    }
    take_in(options_, {}, staged.path(), "club add-lot", context);
    order.push_back(options_.lot);
    club::seal_roster(
        staged.path(), order, details_with(before),
        {.name = (target.has_filename() ? target : target.parent_path()).filename().string(),
         .made_by = "club add-lot",
         .version = std::string(version()),
         .code = code_hash("data")});
    staged.commit();
    print_roster(club::load_roster(target), context);
    return 0;
  }

 private:
  // What was known of the partners stays, what the flags say of this one is added.
  std::vector<club::PartnerDetails> details_with(const club::Roster& before) const {
    std::vector<LotOptions> all;
    for (const club::Partner& partner : before.partners) {
      LotOptions known{.partner = partner.name, .contact = partner.contact, .terms = partner.terms};
      all.push_back(std::move(known));
    }
    all.push_back(options_);
    return partner_details(all);
  }

  std::string lots_ = {};
  LotOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ClubAddLot)
