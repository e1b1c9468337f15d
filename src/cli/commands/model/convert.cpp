// Write a GGUF file's weights and config as a Hugging Face model folder, checked value by value.
#include <fmt/format.h>

#include <ostream>

#include "checkpoint/gguf/import.h"
#include "cli/command.h"
#include "core/error.h"
#include "core/fs.h"
#include "text/formats/convert.h"

namespace helio::cli {
namespace {

class ModelConvert final : public Command {
 public:
  Card card() const override {
    return {.positional = {"model"},
            .required = {"model", "out"},
            .examples = {"helio model convert SmolLM2-135M-Instruct.Q4_1.gguf --out models/smollm2",
                         "helio model convert model-F16.gguf --dtype bfloat16 --out models/m"}};
  }
  void describe(Fields& f) override { options_.describe(f); }

  int run(Context& context) override {
    if (fs::is_directory(options_.model) || options_.model.ends_with(".safetensors"))
      throw Error(ErrorKind::usage, "'" + options_.model + "' is a Hugging Face model already")
          .with_hint(
              "`helio model cast` changes its dtype, `helio model shard` its files, `helio "
              "model export gguf` makes a GGUF file of it");
    const checkpoint::GgufImport import(options_);
    for (const auto& key : import.model().unread_keys())
      context.monitor.warn("metadata '" + key + "' is not known to helio and was left out");
    bool has_tokenizer = false;
    const auto report = import.write(context.monitor, context.stop, [&](const fs::path& dir) {
      has_tokenizer = write_tokenizer(import, dir, context.monitor);
    });
    if (context.json) {
      context.out << compact({{"model", options_.model},
                              {"out", options_.out},
                              {"architecture", import.model().family().architecture},
                              {"dtype", report.dtype},
                              {"tensors", report.tensors},
                              {"parameters", report.parameters},
                              {"kept_float32", report.kept_float32},
                              {"rounded_tensors", report.rounded_tensors},
                              {"rounded_values", report.rounded_values},
                              {"tokenizer", has_tokenizer ? OrderedJson("tokenizer.json")
                                                          : OrderedJson()}})
                  << "\n";
      return 0;
    }
    context.out << fmt::format("{}: {} tensors, {} parameters in {}\n",
                               import.model().family().architecture, report.tensors,
                               fmt::group_digits(report.parameters), report.dtype);
    if (report.kept_float32 > 0)
      context.out << fmt::format("{} tensors stay in float32: {} would change their values\n",
                                 report.kept_float32, report.dtype);
    context.out << (report.rounded_values == 0
                        ? std::string("every value is exactly the file's\n")
                        : fmt::format("{} values of {} tensors were rounded to {}\n",
                                      fmt::group_digits(report.rounded_values),
                                      report.rounded_tensors, report.dtype))
                << "written and read back: " << options_.out << "\n";
    if (!has_tokenizer)
      context.out << "without tokenizer.json: copy the one of the model this file was made from\n";
    return 0;
  }

 private:
  // The weights are worth having without it: a tokenizer that cannot be read is a warning.
  bool write_tokenizer(const checkpoint::GgufImport& import, const fs::path& dir,
                       Monitor& monitor) const {
    try {
      text::write_tokenizer(dir, text::read_tokenizer_file(options_.model),
                            text::TokenizerTarget::tokenizer_json);
      return true;
    } catch (const Error& error) {
      monitor.warn("the tokenizer was not converted: " + error.message());
    }
    if (const auto text = import.model().file().string("tokenizer.chat_template"))
      write_file_atomic(dir / "chat_template.jinja", *text);
    return false;
  }

  checkpoint::GgufImportOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::ModelConvert)
