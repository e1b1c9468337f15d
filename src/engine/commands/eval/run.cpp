// Score models on tasks: held-out text, cloze, preference pairs, H6, Korean benchmarks.
#include "eval/run.h"

#include <algorithm>
#include <ostream>

#include "cli/command.h"
#include "eval/local_respondent.h"
#include "model/generation_engine.h"
#include "model/local_model.h"
#include "model/paged_cache.h"
#include "nn/runtime.h"
#include "text/stop_ids.h"

namespace helio::engine {
namespace {

// Keys and values of the answers that are written at once; fewer are where it has no room for all.
constexpr int64_t kCacheBytes = int64_t{4} << 30;
constexpr int64_t kSlots = 16;

std::unique_ptr<eval::Respondent> make_respondent(const model::LanguageModel& model,
                                                  const std::filesystem::path& folder,
                                                  const text::ChatFormat* chat,
                                                  const StopRequest& stop) {
  const auto engine = [decoder = model::shared_decoder(model)](int64_t longest) {
    model::EngineOptions options{.slots = kSlots, .batching = model::Batching::as_alone};
    const int64_t most =
        kCacheBytes / model::PagedCache::bytes_per_token(decoder->config(), decoder->dtype());
    options.cache_tokens =
        std::max(longest, std::min(kSlots * (longest + options.page_tokens), most));
    return model::make_generation_engine(decoder, options);
  };
  return std::make_unique<eval::LocalRespondent>(
      model,
      eval::LocalRespondentOptions{.engine = engine,
                                   .chat = chat,
                                   .stop_ids = text::load_stop_ids(folder, model.tokenizer()),
                                   .stopped = [&stop] { return stop.raised(); }});
}

class EvalRun final : public cli::Command {
 public:
  cli::Card card() const override {
    return {
        .positional = {"models"},
        .required = {"models"},
        .examples = {"helio eval run models/base models/aligned/step-2 --dataset "
                     "datasets/corpus --out evals/scores",
                     "helio eval run models/base --tasks hellaswag mmlu --benchmarks "
                     "benchmarks --limit 100 --out evals/quick",
                     "helio eval run models/chat --tasks h6,ifeval,eq_bench,mt_bench --benchmarks "
                     "benchmarks --judge openai:https://api.openai.com/v1#gpt-4 --out "
                     "evals/chat",
                     "helio eval run openai:http://localhost:8000/v1#my-model --tokenizer "
                     "models/base --tasks mmlu gsm8k --benchmarks benchmarks --out evals/served",
                     "helio eval run runs/adapter --adapter-base models/base --tasks h6 "
                     "--benchmarks benchmarks --out evals/adapter",
                     "helio eval run models/base --dataset datasets/corpus --dry-run"}};
  }

  void describe(Fields& f) override { options_.describe(f); }

  int run(cli::Context& context) override {
    nn::prepare_runtime(options_.threads);
    const auto load = [&](const eval::ModelPlace& place, FileHashes& hashes) {
      return model::load_language_model(
          place.model, {.dtype = options_.dtype, .batch_tokens = options_.batch_tokens},
          place.adapter, &hashes);
    };
    const auto respond = [&](const model::LanguageModel& model, const std::filesystem::path& folder,
                             const text::ChatFormat* chat) {
      return make_respondent(model, folder, chat, context.stop);
    };
    const auto results = eval::run_evaluation(
        options_,
        {.load = load, .respond = respond, .monitor = context.monitor, .stop = context.stop});
    if (context.json) {
      context.out << compact(results) << "\n";
      return 0;
    }
    context.out << eval::results_table(results);
    if (options_.dry_run) context.out << "Nothing was scored (--dry-run).\n";
    else context.out << "Written to " << options_.out << ": results.json, samples/\n";
    return 0;
  }

 private:
  eval::EvalOptions options_ = {};
};

}  // namespace
}  // namespace helio::engine
HELIO_COMMAND(helio::engine::EvalRun)
