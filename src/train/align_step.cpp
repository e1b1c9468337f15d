// What happens within a step of an alignment, and what is told of it.
#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "train/align.h"
#include "train/distributed/score_together.h"
#include "train/samples.h"

namespace helio::train {
namespace {

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

constexpr int64_t kScoreTokens = 4096;

// KL from another model, in nats a token, over answers of this one. Both are in memory.
double kl_from(const fs::path& other, const model::Decoder& model,
               const std::vector<EncodedPreference>& answers) {
  const auto score = [&](const model::Decoder& judge) {
    return score_pairs(judge, answers, kScoreTokens, [](int64_t) {});
  };
  return sampled_kl(answers, score(model), score(model::Decoder::load(other)));
}

}  // namespace

OrderedJson duplicates_json(const Duplicates& duplicates) {
  return {{"pairs", duplicates.pairs},
          {"pairs_across_chunks", duplicates.across_chunks},
          {"prompts_across_chunks", duplicates.prompts_across}};
}

OrderedJson AlignRun::ease_of(const std::vector<size_t>& chunk) const {
  std::vector<double> margins;
  double right = 0;
  for (const size_t i : chunk) {
    margins.push_back(free_margin(data_.train[i], start_train_[i], options_.ease));
    right += margins.back() > 0 ? 1 : 0;
  }
  return {{"start_accuracy", right / static_cast<double>(chunk.size())},
          {"start_margin_mean", mean_of(margins)},
          {"start_margin_low", *std::min_element(margins.begin(), margins.end())},
          {"start_margin_high", *std::max_element(margins.begin(), margins.end())}};
}

// Where the model a step is measured against lies.
fs::path AlignRun::reference_folder(const Step& step) const {
  if (step.number > 1) return setup_.out / ("step-" + std::to_string(step.number - 1));
  return options_.reference.empty() ? options_.model : options_.reference;
}

void AlignRun::take_step(const Step& step, model::Decoder& model, Monitor& monitor,
                         const StopRequest& stop) {
  const auto pairs = chunk_pairs(step.chunk);
  ReferenceScores references(reference_dir(), monitor, stop, link_.get());
  const bool own_reference = step.number == 1 && !options_.reference.empty();
  const bool mismatched = loss_formula(options_).any(&PairLoss::needs_kl);
  std::vector<PairScore> reference, reference_heldout, other, other_heldout;
  std::vector<PairScore> start_chunk;
  for (const size_t i : step.chunk) start_chunk.push_back(start_train_[i]);
  const auto score = [&](const model::Decoder& judge) {
    const auto scores_of = [&](const std::string& name,
                               const std::vector<EncodedPreference>& examples) {
      return references.get(step.name() + name, judge, step.reference.content, examples);
    };
    const bool start = step.number == 1 && !own_reference;  // M0's scores are there already
    reference = start ? start_chunk : scores_of("", pairs);
    reference_heldout = start ? start_heldout_ : scores_of("-heldout", data_.heldout);
    if (!mismatched) return;
    other = scores_of("-mismatched", mismatched_pairs(pairs));
    other_heldout = scores_of("-heldout-mismatched", mismatched_pairs(data_.heldout));
  };
  if (own_reference) score(model::Decoder::load(options_.reference));
  else score(model);
  const OverfitCheck overfit = check_overfit({pairs, reference, start_chunk},
                                             {data_.heldout, reference_heldout, start_heldout_});
  if (overfit.alarm)
    monitor.warn(step.reference.name +
                 " prefers this chunk's chosen answers far more than held-out "
                 "ones: it looks as if it was trained on them, and is no fair reference");
  const SampleOptions sampling{.count = options_.samples,
                               .tokens = options_.sample_tokens,
                               .seed = static_cast<uint64_t>(options_.train.seed),
                               .eos = eos_};
  const auto& asked = data_.heldout.empty() ? pairs : data_.heldout;
  const auto sampled = [&] {
    return leads() ? sample_answers(model, asked, sampling, stop)
                   : std::vector<EncodedPreference>();
  };
  const auto answers_before = sampled();

  const auto measured_against = [&](const std::vector<PairScore>& scores) {
    return options_.reference_free ? std::vector<PairScore>(scores.size()) : scores;
  };
  const PreferenceBatches batches(pairs, measured_against(reference), batch_options(options_.train),
                                  other);
  std::unique_ptr<PreferenceBatches> heldout;
  if (!data_.heldout.empty())
    heldout = std::make_unique<PreferenceBatches>(
        data_.heldout, measured_against(reference_heldout),
        PreferenceBatches::Options{.order = {.batch_size = 8}}, other_heldout);
  Checkpoints checkpoints(step.run, step.key);
  const auto found = distributed::choose_checkpoint(link_.get(), checkpoints, [&] {
    return checkpoints.choose(
        {.resume = options_.unfinished.resume, .restart = !options_.unfinished.resume},
        setup_.command_line, monitor);
  });
  const auto objective = preference_objective(loss_formula(options_), link_.get());
  const std::string title =
      "sDPO step " + std::to_string(step.number) + "/" + std::to_string(options_.steps);
  Trainer trainer({.train = options_.train,
                   .run_dir = step.run,
                   .title = title,
                   .key = step.key,
                   .resume_command = setup_.command_line,
                   .link = link_.get()},
                  model, *objective, batches, heldout.get(), monitor, stop);
  if (found) trainer.restore(*found);
  const RunSummary summary = trainer.run();

  const auto score_now = [&](const std::vector<EncodedPreference>& examples) {
    return distributed::score_together(link_.get(), model, examples, kScoreTokens,
                                       [&](int64_t) { stop.check(); });
  };
  const auto after = score_now(pairs), after_heldout = score_now(data_.heldout);
  if (!leads()) return;
  const auto answers_after = sampled();
  write_samples(step, answers_before, answers_after);
  // M(t-1) is the reference, unless step 1 has one of its own.
  const auto& before = own_reference ? start_chunk : reference;
  const auto& before_heldout = own_reference ? start_heldout_ : reference_heldout;
  const RewardSummary chunk_after = compare(pairs, after, reference, options_.beta);
  const RewardSummary heldout_after =
      compare(data_.heldout, after_heldout, reference_heldout, options_.beta);

  OrderedJson facts = summary.json();
  if (link_) facts["processes"] = link_->size();
  facts["sdpo_step"] = step.number;
  facts["start"] = step.start.name;
  facts["reference"] = step.reference.name;
  facts["loss"] = options_.loss;
  facts["beta"] = options_.beta;
  facts["pairs"] = pairs.size();
  facts["heldout_pairs"] = data_.heldout.size();
  facts["heldout_accuracy"] = heldout_after.accuracy.json()["share"];
  facts["chunk"] = {{"order", options_.order},
                    {"chunks", options_.chunks},
                    {"start_preference", free_accuracy(pairs, start_chunk).json()},
                    {"reference_gamma", mean_gamma(pairs, reference)},
                    {"rewards_before", compare(pairs, before, reference, options_.beta).json()},
                    {"rewards_after", chunk_after.json()},
                    {"reference_check", overfit.json()}};
  facts["chunk"].update(ease_of(step.chunk));
  facts["heldout"] = {
      {"reference_gamma", mean_gamma(data_.heldout, reference_heldout)},
      {"rewards_before",
       compare(data_.heldout, before_heldout, reference_heldout, options_.beta).json()},
      {"rewards_after", heldout_after.json()},
      {"rewards_after_against_start",
       compare(data_.heldout, after_heldout, start_heldout_, options_.beta).json()},
      {"preference_before", free_accuracy(data_.heldout, before_heldout).json()},
      {"preference_after", free_accuracy(data_.heldout, after_heldout).json()},
      {"accuracy_by_source", accuracy_by_source(data_.heldout, after_heldout, reference_heldout)}};
  if (!answers_after.empty())
    facts["samples"] = {
        {"answers", answers_after.size()},
        {"mean_tokens_before", mean_length(answers_before)},
        {"mean_tokens_after", mean_length(answers_after)},
        {"kl_from_reference", kl_from(reference_folder(step), model, answers_after)},
        {"kl_from_start", kl_from(options_.model, model, answers_after)}};
  add_shape_facts(facts, config_);
  facts["run_key"] = step.key;
  write_step(step, trainer, facts);
}

// RUN/step-t/samples.jsonl: the same prompts answered before and after the step.
void AlignRun::write_samples(const Step& step, const std::vector<EncodedPreference>& before,
                             const std::vector<EncodedPreference>& after) const {
  if (after.empty()) return;
  const auto tokenizer = text::load_tokenizer(options_.model);
  std::string lines;
  for (size_t i = 0; i < std::min(before.size(), after.size()); ++i)
    lines += compact({{"id", after[i].id},
                      {"prompt", tokenizer->decode(after[i].prompt, text::SpecialTokens::add)},
                      {"before", tokenizer->decode(before[i].chosen)},
                      {"after", tokenizer->decode(after[i].chosen)}}) +
             "\n";
  write_file_atomic(step.run / "samples.jsonl", lines);
}

void AlignRun::write_step(const Step& step, const Trainer& trainer,
                          const OrderedJson& facts) const {
  StagedDir staged(step.out);
  trainer.save_model(staged.path());
  copy_tokenizer(options_.model, staged.path(), chat_template_);
  copy_adapter(step.run, staged.path());
  for (const fs::path& beside : trainer.save_beside(staged.path()))
    copy_tokenizer(options_.model, beside, chat_template_);
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
  for (const auto& pair : data_.heldout_rows) {
    OrderedJson row = {{"id", pair.id}, {"prompt", text::message_list(pair.prompt)}};
    if (pair.unpaired) {
      row["completion"] = pair.chosen.empty() ? pair.rejected : pair.chosen;
      row["label"] = !pair.chosen.empty();
    } else {
      row["chosen"] = pair.chosen;
      row["rejected"] = pair.rejected;
    }
    rows += compact(row) + "\n";
  }
  write_file_atomic(setup_.out / "heldout.jsonl", rows);
  Manifest manifest = model_manifest(setup_, setup_.out);
  manifest.kind = "models";
  manifest.facts = facts;
  seal_artefact(setup_.out, manifest);
}

}  // namespace helio::train
