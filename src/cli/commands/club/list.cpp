// List partners and their lots: documents, words, licence, content root.
#include "cli/club_intake.h"

namespace helio::cli {
namespace {

class ClubList final : public Command {
 public:
  Card card() const override {
    return {.positional = {"lots"},
            .required = {"lots"},
            .examples = {"helio club list workspace/lots/lots", "helio club list lots/all --json"}};
  }
  void describe(Fields& f) override { f.input("lots", lots_, "Folder of lots."); }
  int run(Context& context) override {
    print_roster(club::load_roster(lots_), context);
    return 0;
  }

 private:
  std::string lots_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ClubList)
