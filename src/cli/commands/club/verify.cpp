// Recompute every count, hash and content root of a folder of lots and compare; 5 when one differs.
#include <ostream>

#include "cli/command.h"
#include "club/roster.h"
#include "core/error.h"

namespace helio::cli {
namespace {

class ClubVerify final : public Command {
 public:
  Card card() const override {
    return {
        .positional = {"lots"},
        .required = {"lots"},
        .examples = {"helio club verify workspace/lots/lots", "helio club verify lots/all --json"}};
  }
  void describe(Fields& f) override { f.input("lots", lots_, "Folder of lots, or one lot."); }

  int run(Context& context) override {
    const bool one = has_manifest(lots_) && load_manifest(lots_).kind == "lot";
    const std::vector<std::string> differences =
        one ? club::verify_lot(lots_) : club::verify_roster(lots_);
    if (context.json) {
      context.out << compact({{"lots", lots_},
                              {"ok", differences.empty()},
                              {"differences", differences}})
                  << "\n";
    } else {
      for (const std::string& line : differences) context.out << line << "\n";
      if (differences.empty()) context.out << "every file, count and content root is as stated\n";
    }
    return differences.empty() ? 0 : exit_code(ErrorKind::check);
  }

 private:
  std::string lots_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ClubVerify)
