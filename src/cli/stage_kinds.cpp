#include "cli/stage_kinds.h"

#include <memory>

#include "cli/command.h"
#include "core/error.h"
#include "eval/options.h"
#include "train/options.h"

namespace helio::cli {
namespace {

// A command of this program: its own description.
jobs::StageKind own(const char* name, const char* module) {
  return {.name = name, .module = module, .make = [name]() -> std::unique_ptr<Described> {
            for (const auto& entry : commands())
              if (entry.name == name && entry.make) return entry.make();
            throw Error(ErrorKind::internal, std::string("no command ") + name);
          }};
}

// A command of helio-engine: its options are described in a torch-free header.
template <class Options>
class OptionsOnly final : public Described {
 public:
  void describe(Fields& f) override { options_.describe(f); }

 private:
  Options options_ = {};
};

template <class Options>
jobs::StageKind engines(const char* name, const char* module) {
  return {.name = name, .module = module, .make = []() -> std::unique_ptr<Described> {
            return std::make_unique<OptionsOnly<Options>>();
          }};
}

}  // namespace

std::vector<jobs::StageKind> stage_kinds() {
  return {own("club import", "data"),
          own("data run", "data"),
          own("tokenizer train", "text"),
          own("tokenizer extend", "text"),
          own("tokens build", "text"),
          engines<train::PretrainOptions>("pretrain", "train"),
          own("upscale", "checkpoint"),
          own("merge", "checkpoint"),
          own("model resize", "checkpoint"),
          engines<train::SftOptions>("sft", "train"),
          engines<train::AlignOptions>("align", "train"),
          engines<eval::EvalOptions>("eval run", "eval"),
          own("club statement", "club"),
          own("report", "report")};
}

}  // namespace helio::cli
