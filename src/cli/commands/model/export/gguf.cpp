// Write a model as a GGUF file for llama.cpp and what builds on it, quantised or not.
#include <fmt/format.h>

#include <ostream>

#include "checkpoint/gguf/export.h"
#include "cli/command.h"
#include "text/gguf_vocabulary.h"

namespace helio::cli {
namespace {

class ExportGguf final : public Command {
 public:
  Card card() const override {
    return {.positional = {"model"},
            .required = {"model", "out"},
            .examples = {"helio model export gguf models/solar-mini --type q4_k_m --out "
                         "solar-mini-q4_k_m.gguf",
                         "helio model export gguf models/solar-mini --type bf16 --out "
                         "solar-mini.gguf"}};
  }
  void describe(Fields& f) override { options_.describe(f); }

  int run(Context& context) override {
    const checkpoint::GgufExport model(options_);
    text::GgufVocabulary vocabulary;
    const auto report = model.write(
        [&](GgufPlan& plan) {
          vocabulary = text::set_gguf_vocabulary(plan, options_.model, model.vocabulary());
        },
        context.monitor, context.stop);
    if (context.json) {
      OrderedJson types = OrderedJson::object();
      for (const auto& [name, count] : report.types) types[name] = count;
      context.out << compact({{"model", options_.model},
                              {"out", options_.out},
                              {"architecture", model.family().arch},
                              {"type", options_.type},
                              {"tensors", report.tensors},
                              {"types", types},
                              {"bytes", report.bytes},
                              {"tokenizer", vocabulary.model},
                              {"pre", vocabulary.pre},
                              {"tokens", vocabulary.tokens},
                              {"filled_tokens", vocabulary.filled},
                              {"chat_template", vocabulary.chat_template}})
                  << "\n";
      return 0;
    }
    std::string types;
    for (const auto& [name, count] : report.types)
      types += fmt::format("{}{} {}", types.empty() ? "" : ", ", count, name);
    context.out << fmt::format("{} as {}: {} tensors ({}), {} bytes: {}\n", options_.model,
                               model.family().arch, report.tensors, types,
                               fmt::group_digits(report.bytes), options_.out)
                << fmt::format("tokenizer {} (pre {}), {} tokens{}{}\n", vocabulary.model,
                               vocabulary.pre, fmt::group_digits(vocabulary.tokens),
                               vocabulary.filled > 0
                                   ? fmt::format(", {} of them only fill the embedding up",
                                                 fmt::group_digits(vocabulary.filled))
                                   : "",
                               vocabulary.chat_template ? ", with its chat template"
                                                        : ", without a chat template");
    return 0;
  }

 private:
  checkpoint::GgufExportOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ExportGguf)
