// Checks every file of an artefact against the hashes in its manifest.
#include <ostream>

#include "cli/command.h"
#include "core/fs.h"
#include "core/manifest.h"

namespace helio::cli {
namespace {

class Verify final : public Command {
 public:
  Card card() const override {
    return {.positional = {"artefacts"},
            .required = {"artefacts"},
            .examples = {"helio verify workspace/models/base workspace/datasets/corpus"}};
  }
  void describe(Fields& f) override {
    f.input("artefacts", artefacts_, "Folders that helio made.");
  }
  int run(Context& context) override {
    OrderedJson all = OrderedJson::array();
    for (const auto& path : artefacts_) {
      verify_artefact(path);  // throws Error{check} naming the first file that differs
      const Manifest manifest = load_manifest(path);
      all.push_back({{"path", path},
                     {"kind", manifest.kind},
                     {"content", manifest.content},
                     {"files", manifest.files.size()}});
      if (!context.json)
        context.out << path << ": " << manifest.kind << ", " << manifest.files.size()
                    << " files, content " << manifest.content << "\n";
    }
    if (context.json) context.out << compact({{"artefacts", all}}) << "\n";
    return 0;
  }

 private:
  std::vector<std::string> artefacts_;
};

}  // namespace
}  // namespace helio::cli

HELIO_COMMAND(helio::cli::Verify)
