#include "train/pretrain.h"

#include "core/error.h"
#include "core/fs.h"
#include "text/token_shards.h"
#include "train/compute.h"
#include "train/estimate.h"
#include "train/new_config.h"
#include "train/token_batches.h"

namespace helio::train {
namespace {

// Held-out rows in a fixed order of their own, so that the sample is the same for every run.
constexpr uint64_t kHeldoutOrder = 0x68656c64;

checkpoint::DecoderConfig config_for(const PretrainOptions& options,
                                     const text::TokenShards& shards,
                                     const std::filesystem::path& tokenizer_dir) {
  const ModelShape& shape = options.model;
  if (shape.hidden % shape.heads != 0)
    throw Error(ErrorKind::invalid, "model.hidden (" + std::to_string(shape.hidden) +
                                        ") must be a multiple of model.heads (" +
                                        std::to_string(shape.heads) + ")");
  const auto tokenizer = text::load_tokenizer(tokenizer_dir);
  const auto special = text::load_special_ids(tokenizer_dir, *tokenizer);
  checkpoint::DecoderConfig config = new_config(shape, shards.vocab_size());
  config.bos = special.bos ? special.bos : special.eos;
  config.eos = shards.eos();
  config.pad = special.pad;
  return config;
}

TokenBatches::Options train_options(const PretrainOptions& options) {
  return {.sequence = options.sequence,
          .batch_size = options.train.batch_size,
          .micro_batch_size = options.train.micro_batch_size,
          .steps = options.train.steps,
          .epochs = options.train.epochs,
          .seed = static_cast<uint64_t>(options.train.seed)};
}

Workload workload(const PretrainOptions& options, const TokenBatches& batches) {
  return {.steps = batches.steps(),
          .tokens = batches.targets(),
          .sequence = options.sequence,
          .step_rows = options.train.batch_size,
          .micro_rows = options.train.micro_batch_size,
          .train = options.train,
          .processes = distributed::placement().size};
}

// Tokens may have been built without a held-out split: then there is no held-out loss.
std::unique_ptr<text::TokenShards> open_heldout(const std::string& tokens) {
  try {
    return std::make_unique<text::TokenShards>(tokens, "heldout");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    return nullptr;
  }
}

struct Lots {
  OrderedJson json = {};
  int64_t total = 0;
};

Lots trained_by_lot(const TokenBatches& batches, const text::TokenShards& shards) {
  Lots lots{.json = OrderedJson::array()};
  const auto counts = batches.targets_by_lot(batches.steps());
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto& lot = shards.lots()[i];
    lots.json.push_back({{"lot", lot.lot},
                         {"partner", lot.partner},
                         {"language", lot.language},
                         {"tokens", counts[i]}});
    lots.total += counts[i];
  }
  HELIO_CHECK(lots.total == batches.targets(), "tokens by lot sum to the tokens trained");
  return lots;
}

// The content hash of the tokenizer in `dir`: a tokenizer folder's own, or what a model says it
// came with. Empty when neither is known (a folder from outside).
std::string tokenizer_content(const fs::path& dir) {
  if (!has_manifest(dir)) return {};
  const Manifest manifest = load_manifest(dir);
  return manifest.kind == "tokenizer" ? manifest.content : manifest.facts.value("tokenizer", "");
}

void check_tokenizer(const text::TokenShards& shards, const fs::path& dir) {
  const std::string content = tokenizer_content(dir);
  if (content.empty() || content == shards.tokenizer_content()) return;
  throw Error(ErrorKind::invalid,
              "the token shards were not made with the tokenizer in '" + dir.string() + "'")
      .with_hint("build them again with it: helio tokens build");
}

}  // namespace

PretrainRun::PretrainRun(PretrainOptions options) : options_(std::move(options)) {
  PretrainOptions fresh;
  setup_ = set_up_run("pretrain", describe(options_), describe(fresh),
                      use_threads(options_.train.threads));
  if (options_.tokenizer.empty() && options_.init.empty())
    throw Error(ErrorKind::usage, "no tokenizer: --tokenizer")
        .with_hint("the one the token shards were made with");
  tokenizer_dir_ = options_.tokenizer.empty() ? options_.init : options_.tokenizer;
  check_output(setup_.out);

  const text::TokenShards shards(options_.tokens, "train");
  config_ = options_.init.empty() ? config_for(options_, shards, tokenizer_dir_)
                                  : checkpoint::load_decoder_config(options_.init);
  check_vocabulary(shards.vocab_size(), config_.vocab_size, tokenizer_dir_);
  check_tokenizer(shards, tokenizer_dir_);
  if (!fs::exists(tokenizer_dir_ / "tokenizer.json"))
    throw Error(ErrorKind::not_found, "'" + tokenizer_dir_.string() + "' has no tokenizer.json");
  if (options_.sequence > config_.max_positions)
    throw Error(ErrorKind::invalid, "sequences of " + std::to_string(options_.sequence) +
                                        " tokens are longer than the model's " +
                                        std::to_string(config_.max_positions) + " positions")
        .with_hint("lower sequence, or raise model.context for a new model");
}

OrderedJson PretrainRun::plan() const {
  const text::TokenShards shards(options_.tokens, "train");
  const TokenBatches batches(shards, train_options(options_));
  return plan_json(setup_, config_, workload(options_, batches));
}

RunSummary PretrainRun::run(Monitor& shown, const StopRequest& stop) {
  const auto link = distributed::join(setup_.key);
  SilentMonitor silent;
  const bool leads = !link || link->leads();  // the others write and show nothing
  Monitor& monitor = leads ? shown : silent;
  const text::TokenShards shards(options_.tokens, "train");
  const auto heldout_shards = open_heldout(options_.tokens);
  const TokenBatches batches(shards, train_options(options_));
  check_room(config_, workload(options_, batches), room_here(setup_.run));
  std::unique_ptr<TokenBatches> heldout;
  if (heldout_shards && heldout_shards->tokens() > 0)
    heldout = std::make_unique<TokenBatches>(
        *heldout_shards, TokenBatches::Options{.sequence = options_.sequence,
                                               .batch_size = 16,
                                               .targets = options_.heldout_tokens,
                                               .seed = kHeldoutOrder,
                                               .with_groups = true});

  Checkpoints checkpoints(setup_.run, setup_.key);
  const auto found = distributed::choose_checkpoint(link.get(), checkpoints, [&] {
    return checkpoints.choose(options_.unfinished, setup_.command_line, monitor);
  });
  if (leads) write_run_folder(setup_);

  model::Decoder model = [&] {
    const auto keeps = distributed::kept_weights(link.get(), options_.train, config_);
    if (!options_.init.empty()) return model::Decoder::load(options_.init, at::kFloat, {}, keeps);
    model::Decoder fresh(config_);
    fresh.initialise(static_cast<uint64_t>(options_.train.seed), options_.model.init_std, keeps);
    return fresh;
  }();
  const auto objective = causal_lm(options_.train.z_loss);
  const auto tokenizer = text::load_tokenizer(tokenizer_dir_);
  const TextSamples samples(
      beginnings(heldout_shards ? *heldout_shards : shards, options_.sampling.samples), *tokenizer,
      options_.sampling, shards.eos());
  Trainer trainer({.train = options_.train,
                   .run_dir = setup_.run,
                   .title = options_.init.empty() ? "Pre-training" : "Continued pre-training",
                   .key = setup_.key,
                   .resume_command = setup_.command_line,
                   .link = link.get(),
                   .samples = &samples},
                  model, *objective, batches, heldout.get(), monitor, stop);
  if (found) trainer.restore(*found);
  const RunSummary summary = trainer.run();
  if (!leads) return summary;

  const Lots lots = trained_by_lot(batches, shards);
  write_file_atomic(setup_.run / "lots.json", pretty({{"lots", lots.json}, {"total", lots.total}}));
  StagedDir staged(setup_.out);
  trainer.save_model(staged.path());
  copy_tokenizer(tokenizer_dir_, staged.path());
  copy_adapter(setup_.run, staged.path());
  for (const fs::path& beside : trainer.save_beside(staged.path()))
    copy_tokenizer(tokenizer_dir_, beside);
  Manifest manifest = model_manifest(setup_, setup_.out);
  manifest.facts = summary.json();
  if (link) manifest.facts["processes"] = link->size();
  manifest.facts["tokens_trained"] = lots.total;
  manifest.facts["tokens_by_lot"] = lots.json;
  manifest.facts["tokenizer"] = shards.tokenizer_content();
  add_shape_facts(manifest.facts, config_);
  seal_artefact(staged.path(), manifest);
  staged.commit();
  checkpoints.clear();
  return summary;
}

}  // namespace helio::train
