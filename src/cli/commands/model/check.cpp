// Check that a model is whole: files, config, values, hashes, tokenizer.
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "checkpoint/made_tensors.h"
#include "checkpoint/model_check.h"
#include "cli/command.h"

namespace helio::cli {
namespace {

class ModelCheck final : public Command {
 public:
  Card card() const override {
    return {.positional = {"model"},
            .required = {"model"},
            .examples = {"helio model check models/solar-mini",
                         "helio model check model.gguf --values none"}};
  }
  void describe(Fields& f) override {
    f.input("model", model_, "Hugging Face model folder, .safetensors or .gguf file.");
    f("values", values_, "scan: look for NaN and infinite values; none: do not read the weights.",
      one_of({"scan", "none"}));
    f("threads", threads_, "0: as many as the machine has.", between(0, 256));
  }

  int run(Context& context) override {
    const auto lines = checkpoint::check_model(
        model_,
        {.values = values_ == "scan" ? checkpoint::CheckOptions::Values::scan
                                     : checkpoint::CheckOptions::Values::skip,
         .threads = checkpoint::worker_count(threads_)},
        context.monitor, context.stop);
    const auto failed = std::count_if(lines.begin(), lines.end(), [](const auto& line) {
      return line.verdict == checkpoint::Verdict::bad;
    });
    if (context.json) {
      OrderedJson checks = OrderedJson::array();
      for (const auto& line : lines)
        checks.push_back({{"what", line.what},
                          {"verdict", verdict_name(line.verdict)},
                          {"detail", line.detail}});
      context.out << compact({{"model", model_}, {"good", failed == 0}, {"checks", checks}})
                  << "\n";
    } else {
      for (const auto& line : lines)
        context.out << fmt::format("{:<11}  {:<10}  {}\n", verdict_name(line.verdict), line.what,
                                   line.detail);
      context.out << (failed == 0 ? "The model is good.\n"
                                  : fmt::format("{} checks failed.\n", failed));
    }
    return failed == 0 ? 0 : 5;
  }

 private:
  std::string model_ = {}, values_ = "scan";
  int64_t threads_ = 0;
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ModelCheck)
