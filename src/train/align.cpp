#include "train/align.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/version.h"
#include "train/estimate.h"

namespace helio::train {
namespace {

PreferenceBatches::Options batch_options(const Optimisation& train) {
  return {.order = {.batch_size = train.batch_size,
                    .steps = train.steps,
                    .epochs = train.epochs,
                    .seed = static_cast<uint64_t>(train.seed)},
          .micro_batch_size = train.micro_batch_size};
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

OrderedJson message_list(const std::vector<text::Message>& messages) {
  OrderedJson list = OrderedJson::array();
  for (const auto& message : messages)
    list.push_back({{"role", message.role}, {"content", message.content}});
  return list;
}

}  // namespace

struct AlignRun::Step {
  int64_t number = 0;
  ArtefactInput start = {};      // M(t-1)
  ArtefactInput reference = {};  // the same, but for a reference of its own in step 1
  std::string key = {};
  fs::path out = {}, run = {};
  std::vector<size_t> chunk = {};
  std::string name() const { return "step-" + std::to_string(number); }
};

AlignRun::AlignRun(AlignOptions options) : options_(std::move(options)) {
  AlignOptions fresh;
  setup_ =
      set_up_run("align", describe(options_), describe(fresh), use_threads(options_.train.threads));
  check_output(setup_.out);
  dpo({.loss = options_.loss, .beta = options_.beta, .label_smoothing = options_.label_smoothing});
  config_ = checkpoint::load_decoder_config(options_.model);
  const auto tokenizer = text::load_tokenizer(options_.model);
  check_vocabulary(tokenizer->vocab_size(), config_.vocab_size, options_.model);
  check_length(options_.max_length, config_.longest_sequence());
  auto loaded = text::load_preferences(options_.data, options_.limit);
  refused_ = loaded.refused;
  data_ = encode_preferences(loaded.rows, *tokenizer, end_of_text(options_.model, *tokenizer),
                             options_.max_length, options_.heldout);
  make_chunks(std::vector<double>(data_.train.size()), options_.steps, "random",
              0);  // enough pairs?
}

OrderedJson AlignRun::plan() const {
  int64_t tokens = 0;
  for (const auto& pair : data_.train)
    tokens +=
        static_cast<int64_t>(2 * pair.prompt.size() + pair.chosen.size() + pair.rejected.size());
  const auto pairs = static_cast<int64_t>(data_.train.size()), mean = tokens / (2 * pairs);
  int64_t steps = 0;
  for (const auto& chunk :
       make_chunks(std::vector<double>(data_.train.size()), options_.steps, "random", 0)) {
    ExampleOrder::Options order = batch_options(options_.train).order;
    order.examples = static_cast<int64_t>(chunk.size());
    steps += ExampleOrder(order).steps();
  }
  OrderedJson plan = plan_json(setup_, config_,
                               {.steps = steps,
                                .tokens = steps * options_.train.batch_size * 2 * mean,
                                .sequence = mean,
                                .step_rows = 2 * options_.train.batch_size,
                                .micro_rows = 2 * options_.train.micro_batch_size,
                                .forward_tokens = 3 * tokens});
  plan["pairs"] = pairs;
  plan["heldout_pairs"] = data_.heldout.size();
  plan["pairs_refused"] = refused_;
  return plan;
}

// Parts of the same run are gone on from, refused or dropped as asked; parts of another are
// dropped.
void AlignRun::choose_continuation() {
  const Continuation& asked = options_.unfinished;
  if (asked.resume && asked.restart)
    throw Error(ErrorKind::usage, "resume and restart exclude each other");
  const fs::path record = setup_.run / "env.json";
  const Json env = fs::exists(record) ? Json::parse(read_file(record), nullptr, false) : Json();
  const bool same = env.is_object() && env.value("key", "") == setup_.key;
  if (asked.resume && same) return;
  const bool parts =
      fs::exists(setup_.out / "step-1") || fs::exists(setup_.run / "step-1" / "checkpoints");
  if (!asked.restart && parts && same && !has_manifest(setup_.out))
    throw Error(ErrorKind::usage, "an earlier run of the same alignment was cut off")
        .with_hint("go on:       " + setup_.command_line +
                   " --resume\n        start over:  " + setup_.command_line + " --restart");
  std::vector<fs::path> old;
  for (const auto& base : {setup_.out, setup_.run})
    if (fs::is_directory(base))
      for (const auto& entry : fs::directory_iterator(base)) old.push_back(entry.path());
  for (const auto& path : old) {
    const std::string name = path.filename().string();
    if (name.starts_with("step-") || (same && asked.restart && name == "reference"))
      fs::remove_all(path);
  }
}

OrderedJson AlignRun::run(Monitor& monitor, const StopRequest& stop) {
  choose_continuation();
  fs::remove(setup_.out / kManifestName);  // until every step is there again
  write_run_folder(setup_);
  for (const auto& [reason, count] : refused_)
    monitor.note(std::to_string(count) + " pairs left out: " + reason);

  ReferenceScores references(setup_.run, monitor, stop);
  ArtefactInput previous = setup_.inputs.front();  // M0
  model::Decoder model = model::Decoder::load(options_.model);
  start_train_ = references.get("start", model, previous.content, data_.train);
  start_heldout_ = references.get("start-heldout", model, previous.content, data_.heldout);
  std::vector<double> margins;
  for (size_t i = 0; i < data_.train.size(); ++i)
    margins.push_back(free_margin(data_.train[i], start_train_[i]));

  OrderedJson steps = OrderedJson::array();
  int64_t number = 0;
  for (const auto& chunk : make_chunks(margins, options_.steps, options_.order,
                                       static_cast<uint64_t>(options_.train.seed))) {
    const Step step = next_step(++number, previous, chunk);
    if (finished(step)) {
      monitor.note(step.name() + " is there already");
      model = model::Decoder::load(step.out);
    } else {
      const OrderedJson facts = in_context([&] { return "in sDPO step " + std::to_string(number); },
                                           [&] { return take_step(step, model, monitor, stop); });
      write_step(step, model, facts);
      Checkpoints(step.run, step.key).clear();
    }
    previous = describe_input("model", step.out);
    previous.name = setup_.out.filename().string() + "/" + step.name();
    steps.push_back(load_manifest(step.out).facts);
  }
  const OrderedJson facts = {
      {"pairs", data_.train.size()},
      {"heldout_pairs", data_.heldout.size()},
      {"pairs_refused", refused_},
      {"pairs_equal_after_cut", data_.equal_after_cut},
      {"prompts_cut", data_.prompts_cut},
      {"answers_cut", data_.answers_cut},
      {"start_heldout_preference", free_accuracy(data_.heldout, start_heldout_).json()},
      {"steps", steps}};
  finish(facts);
  return facts;
}

AlignRun::Step AlignRun::next_step(int64_t number, const ArtefactInput& previous,
                                   const std::vector<size_t>& chunk) const {
  Step step{.number = number, .start = previous, .reference = previous, .chunk = chunk};
  step.start.role = "model";
  step.reference.role = "reference";
  for (const auto& input : setup_.inputs)
    if (number == 1 && input.role == "reference") step.reference = input;
  step.key = sha256_hex(setup_.key + " " + step.name() + " " + previous.content);
  step.out = setup_.out / step.name();
  step.run = setup_.run / step.name();
  return step;
}

bool AlignRun::finished(const Step& step) const {
  return has_manifest(step.out) && load_manifest(step.out).facts.value("run_key", "") == step.key;
}

std::vector<EncodedPreference> AlignRun::chunk_pairs(const std::vector<size_t>& chunk) const {
  std::vector<EncodedPreference> pairs;
  for (const size_t i : chunk) pairs.push_back(data_.train[i]);
  return pairs;
}

OrderedJson AlignRun::take_step(const Step& step, model::Decoder& model, Monitor& monitor,
                                const StopRequest& stop) {
  const auto pairs = chunk_pairs(step.chunk);
  ReferenceScores references(setup_.run, monitor, stop);
  const bool own_reference = step.number == 1 && !options_.reference.empty();
  std::vector<PairScore> reference, reference_heldout;
  const auto score = [&](const model::Decoder& judge) {
    reference = references.get(step.name(), judge, step.reference.content, pairs);
    reference_heldout =
        references.get(step.name() + "-heldout", judge, step.reference.content, data_.heldout);
  };
  if (own_reference) score(model::Decoder::load(options_.reference));
  else score(model);

  const PreferenceBatches batches(pairs, reference, batch_options(options_.train));
  std::unique_ptr<PreferenceBatches> heldout;
  if (!data_.heldout.empty())
    heldout = std::make_unique<PreferenceBatches>(
        data_.heldout, reference_heldout, PreferenceBatches::Options{.order = {.batch_size = 8}});
  Checkpoints checkpoints(step.run, step.key);
  const auto found = checkpoints.choose(
      {.resume = options_.unfinished.resume, .restart = !options_.unfinished.resume},
      setup_.command_line, monitor);
  const auto objective = dpo(
      {.loss = options_.loss, .beta = options_.beta, .label_smoothing = options_.label_smoothing});
  const std::string title =
      "sDPO step " + std::to_string(step.number) + "/" + std::to_string(options_.steps);
  Trainer trainer({.train = options_.train,
                   .run_dir = step.run,
                   .title = title,
                   .key = step.key,
                   .resume_command = setup_.command_line},
                  model, *objective, batches, heldout.get(), monitor, stop);
  if (found) trainer.restore(*found);
  const RunSummary summary = trainer.run();

  std::vector<double> margins;
  for (const size_t i : step.chunk) margins.push_back(free_margin(data_.train[i], start_train_[i]));
  std::vector<PairScore> start_chunk;
  for (const size_t i : step.chunk) start_chunk.push_back(start_train_[i]);
  const auto after = score_pairs(model, pairs, 4096, [&](int64_t) { stop.check(); });
  const auto after_heldout =
      score_pairs(model, data_.heldout, 4096, [&](int64_t) { stop.check(); });
  // M(t-1) is the reference, unless step 1 has one of its own.
  const auto& before = own_reference ? start_chunk : reference;
  const auto& before_heldout = own_reference ? start_heldout_ : reference_heldout;
  const RewardSummary chunk_after = compare(after, reference, options_.beta);
  const RewardSummary heldout_after = compare(after_heldout, reference_heldout, options_.beta);

  OrderedJson facts = summary.json();
  facts["sdpo_step"] = step.number;
  facts["start"] = step.start.name;
  facts["reference"] = step.reference.name;
  facts["loss"] = options_.loss;
  facts["beta"] = options_.beta;
  facts["pairs"] = pairs.size();
  facts["heldout_pairs"] = data_.heldout.size();
  facts["heldout_accuracy"] = heldout_after.accuracy.json()["share"];
  facts["chunk"] = {{"order", options_.order},
                    {"start_margin_mean", mean_of(margins)},
                    {"start_margin_low", *std::min_element(margins.begin(), margins.end())},
                    {"start_margin_high", *std::max_element(margins.begin(), margins.end())},
                    {"start_preference", free_accuracy(pairs, start_chunk).json()},
                    {"reference_gamma", mean_gamma(reference)},
                    {"rewards_before", compare(before, reference, options_.beta).json()},
                    {"rewards_after", chunk_after.json()}};
  facts["heldout"] = {
      {"reference_gamma", mean_gamma(reference_heldout)},
      {"rewards_before", compare(before_heldout, reference_heldout, options_.beta).json()},
      {"rewards_after", heldout_after.json()},
      {"rewards_after_against_start", compare(after_heldout, start_heldout_, options_.beta).json()},
      {"preference_before", free_accuracy(data_.heldout, before_heldout).json()},
      {"preference_after", free_accuracy(data_.heldout, after_heldout).json()}};
  add_shape_facts(facts, config_);
  facts["run_key"] = step.key;
  return facts;
}

void AlignRun::write_step(const Step& step, const model::Decoder& model,
                          const OrderedJson& facts) const {
  StagedDir staged(step.out);
  model.save(staged.path());
  copy_tokenizer(options_.model, staged.path(), ChatTemplate::solar);
  Manifest manifest = model_manifest(setup_, step.out);
  manifest.inputs = {step.start, step.reference};
  for (const auto& input : setup_.inputs)
    if (input.role == "data") manifest.inputs.push_back(input);
  manifest.facts = facts;
  seal_artefact(staged.path(), manifest);
  staged.commit();
}

// The held-out pairs beside the steps, and the manifest of them all.
void AlignRun::finish(const OrderedJson& facts) const {
  std::string rows;
  for (const auto& pair : data_.heldout_rows)
    rows += compact({{"id", pair.id},
                     {"prompt", message_list(pair.prompt)},
                     {"chosen", pair.chosen},
                     {"rejected", pair.rejected}}) +
            "\n";
  write_file_atomic(setup_.out / "heldout.jsonl", rows);
  Manifest manifest = model_manifest(setup_, setup_.out);
  manifest.kind = "models";
  manifest.facts = facts;
  seal_artefact(setup_.out, manifest);
}

}  // namespace helio::train
