// Show what an up-scaling would make, from config.json alone: layers, parameters, size, memory.
#include <fmt/format.h>

#include <ostream>

#include "checkpoint/cast.h"
#include "checkpoint/model_folder.h"
#include "checkpoint/surgery.h"
#include "cli/command.h"
#include "cli/layer_drawing.h"
#include "core/error.h"

namespace helio::cli {
namespace {

using checkpoint::DecoderConfig;
using checkpoint::UpscalePlan;

std::string bytes_text(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes / 1e6)
                     : fmt::format("{:.1f} GB", bytes / 1e9);
}

class UpscalePlanCommand final : public Command {
 public:
  Card card() const override {
    return {.positional = {"model"},
            .required = {"model"},
            .examples = {"helio upscale plan models/mistral-7b --drop 8",
                         "helio upscale plan models/mistral-7b --method interleave --every 4"}};
  }

  void describe(Fields& f) override { options_.describe(f); }

  int run(Context& context) override {
    if (!options_.plan.empty())
      throw Error(ErrorKind::usage, "a plan's models are looked into")
          .with_hint("helio upscale --plan " + options_.plan + " --dry-run shows what it makes");
    const DecoderConfig before = checkpoint::load_decoder_config(options_.model);
    const UpscalePlan plan = checkpoint::plan_upscale(before.layers, options_);
    const fs::path origin = fs::path(options_.model) / "config.json";
    const DecoderConfig after = checkpoint::parse_decoder_config(
        Json(checkpoint::upscaled_config(checkpoint::load_model_config(options_.model), plan,
                                         origin.string())),
        origin.string());
    const int64_t parameters = checkpoint::upscaled_parameters(before, plan);
    if (context.json) {
      OrderedJson json = {{"model", options_.model}};
      add_layers(json, plan);
      json["before"] = size_json(before, before.parameters());
      json["after"] = size_json(after, parameters);
      context.out << compact(json) << "\n";
      return 0;
    }
    context.out << layer_drawing(plan) << "\n"
                << fmt::format("  {:<26}{:>18}{:>18}\n", "", "before", "after");
    row(context.out, "layers", fmt::format("{}", before.layers), fmt::format("{}", after.layers));
    row(context.out, "parameters", fmt::format("{}", fmt::group_digits(before.parameters())),
        fmt::format("{}", fmt::group_digits(parameters)));
    const auto both = [&](const char* name, auto&& value) {
      row(context.out, name, bytes_text(value(before, before.parameters())),
          bytes_text(value(after, parameters)));
    };
    both("weights on disk", weights);
    both("keys and values, 4k tokens",
         [](const DecoderConfig& config, int64_t) { return 4096 * cache_per_token(config); });
    both("training, AdamW in f32", training);
    context.out << "\nNothing was written. Only config.json was read.\n";
    return 0;
  }

 private:
  static double width(const DecoderConfig& config) {
    return static_cast<double>(checkpoint::dtype_size(checkpoint::dtype_of_word(config.dtype)));
  }
  static double weights(const DecoderConfig& config, int64_t parameters) {
    return static_cast<double>(parameters) * width(config);
  }
  // Keys and values of all layers in two bytes each; windows are not taken off.
  static double cache_per_token(const DecoderConfig& config) {
    return 2.0 * 2 * static_cast<double>(config.layers * config.kv_heads * config.head_dim);
  }
  // Weights, gradients and two moments of four bytes each; activations come on top.
  static double training(const DecoderConfig&, int64_t parameters) {
    return 16.0 * static_cast<double>(parameters);
  }

  static OrderedJson size_json(const DecoderConfig& config, int64_t parameters) {
    return {{"layers", config.layers},
            {"parameters", parameters},
            {"weight_bytes", static_cast<int64_t>(weights(config, parameters))},
            {"cache_bytes_per_token", static_cast<int64_t>(cache_per_token(config))},
            {"training_bytes", static_cast<int64_t>(training(config, parameters))}};
  }

  static void row(std::ostream& out, const char* name, const std::string& before,
                  const std::string& after) {
    out << fmt::format("  {:<26}{:>18}{:>18}\n", name, before, after);
  }

  checkpoint::UpscaleOptions options_ = {};
};

}  // namespace
}  // namespace helio::cli
HELIO_COMMAND(helio::cli::UpscalePlanCommand)
