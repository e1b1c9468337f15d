#include "train/sft.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/fs.h"
#include "train/compute.h"
#include "train/estimate.h"
#include "train/packed_batches.h"

namespace helio::train {
namespace {

PackedBatches::Options batch_options(const SftOptions& o) {
  return {.packing = parse_packing(o.packing),
          .length = o.max_length,
          .order = {.batch_size = o.train.batch_size,
                    .steps = o.train.steps,
                    .epochs = o.train.epochs,
                    .seed = static_cast<uint64_t>(o.train.seed)},
          .micro_batch_size = o.train.micro_batch_size};
}

// How conversations were put into rows, for log and manifest.
OrderedJson packing_facts(const Batches& batches) {
  const auto* packed = dynamic_cast<const PackedBatches*>(&batches);
  if (!packed) return nullptr;
  return {{"rows", packed->rows()}, {"fill", packed->fill()}};
}

Workload workload(const Optimisation& train, const EncodedConversations& data,
                  const Batches& batches) {
  const auto* packed = dynamic_cast<const PackedBatches*>(&batches);
  const int64_t mean =
      data.tokens / (packed ? packed->rows() : static_cast<int64_t>(data.train.size()));
  return {.steps = batches.steps(),
          .tokens = batches.steps() * train.batch_size * mean,
          .sequence = mean,
          .step_rows = train.batch_size,
          .micro_rows = train.micro_batch_size,
          .train = train,
          .processes = distributed::placement().size};
}

}  // namespace

SftRun::SftRun(SftOptions options) : options_(std::move(options)) {
  SftOptions fresh;
  setup_ =
      set_up_run("sft", describe(options_), describe(fresh), use_threads(options_.train.threads));
  check_output(setup_.out);
  config_ = checkpoint::load_decoder_config(options_.model);
  const auto tokenizer = text::load_tokenizer(options_.model);
  check_vocabulary(tokenizer->vocab_size(), config_.vocab_size, options_.model);
  check_length(options_.max_length, config_.longest_sequence());
  const auto format = text::ChatFormat::load(options_.model, *tokenizer, options_.chat_template);
  chat_template_ = format.source();
  const auto end = format.eos().empty() ? std::nullopt : tokenizer->id_of(format.eos());
  eos_ = end.value_or(-1);
  add_to_key(setup_, format);
  auto loaded = text::load_conversations(options_.data, options_.limit, options_.dataset);
  refused_ = loaded.refused;
  data_ =
      encode_conversations(loaded.rows, format,
                           {.max_length = options_.max_length,
                            .loss_on = options_.loss_on == "all" ? LossOn::all : LossOn::assistant,
                            .heldout = options_.heldout,
                            .texts = options_.texts == "plain" ? text::PlainTexts::as_they_stand
                                                               : text::PlainTexts::chat});
}

OrderedJson SftRun::plan() const {
  const auto batches = conversation_batches(data_.train, batch_options(options_));
  const OrderedJson packing = packing_facts(*batches);
  OrderedJson plan = plan_json(setup_, config_, workload(options_.train, data_, *batches));
  if (!packing.is_null()) plan["packing"] = packing;
  return plan;
}

RunSummary SftRun::run(Monitor& shown, const StopRequest& stop) {
  const auto link = distributed::join(setup_.key);
  SilentMonitor silent;
  const bool leads = !link || link->leads();  // the others write and show nothing
  Monitor& monitor = leads ? shown : silent;
  const auto batches = conversation_batches(data_.train, batch_options(options_));
  check_room(config_, workload(options_.train, data_, *batches), room_here(setup_.run));
  std::unique_ptr<ExampleBatches> heldout;
  if (!data_.heldout.empty())
    heldout = std::make_unique<ExampleBatches>(
        data_.heldout, ExampleBatches::Options{.order = {.batch_size = 16}});

  Checkpoints checkpoints(setup_.run, setup_.key);
  const auto found = distributed::choose_checkpoint(link.get(), checkpoints, [&] {
    return checkpoints.choose(options_.unfinished, setup_.command_line, monitor);
  });
  if (leads) write_run_folder(setup_);
  for (const auto& [reason, count] : refused_)
    monitor.note(std::to_string(count) + " conversations left out: " + reason);
  const OrderedJson packing = packing_facts(*batches);
  if (!packing.is_null())
    monitor.note(fmt::format("{} conversations in {} rows of {} tokens, {:.1f} % full",
                             data_.train.size(), packing.at("rows").get<int64_t>(),
                             options_.max_length, 100 * packing.at("fill").get<double>()));

  model::Decoder model =
      model::Decoder::load(options_.model, at::kFloat, {},
                           distributed::kept_weights(link.get(), options_.train, config_));
  const auto objective = causal_lm(options_.train.z_loss);
  const auto tokenizer = text::load_tokenizer(options_.model);
  const TextSamples samples(
      beginnings(data_.heldout.empty() ? data_.train : data_.heldout, options_.sampling.samples),
      *tokenizer, options_.sampling, eos_);
  Trainer trainer({.train = options_.train,
                   .run_dir = setup_.run,
                   .title = "Fine-tuning",
                   .key = setup_.key,
                   .resume_command = setup_.command_line,
                   .link = link.get(),
                   .samples = &samples},
                  model, *objective, *batches, heldout.get(), monitor, stop);
  if (found) trainer.restore(*found);
  const RunSummary summary = trainer.run();
  if (!leads) return summary;

  StagedDir staged(setup_.out);
  trainer.save_model(staged.path());
  copy_tokenizer(options_.model, staged.path(), chat_template_);
  copy_adapter(setup_.run, staged.path());
  for (const fs::path& beside : trainer.save_beside(staged.path()))
    copy_tokenizer(options_.model, beside, chat_template_);
  Manifest manifest = model_manifest(setup_, setup_.out);
  manifest.facts = summary.json();
  if (link) manifest.facts["processes"] = link->size();
  manifest.facts["examples"] = data_.train.size();
  if (!packing.is_null()) manifest.facts["packing"] = packing;
  manifest.facts["heldout_examples"] = data_.heldout.size();
  manifest.facts["examples_refused"] = refused_;
  manifest.facts["examples_cut"] = data_.cut;
  manifest.facts["examples_without_targets"] = data_.nothing_learned;
  add_shape_facts(manifest.facts, config_);
  seal_artefact(staged.path(), manifest);
  staged.commit();
  checkpoints.clear();
  return summary;
}

}  // namespace helio::train
