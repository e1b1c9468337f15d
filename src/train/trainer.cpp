#include "train/trainer.h"

#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <chrono>
#include <numeric>

#include "core/error.h"
#include "core/fs.h"
#include "nn/tensor_io.h"
#include "train/compute.h"
#include "train/trainer_parts.h"

namespace helio::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Trainer::Trainer(Plan plan, model::Decoder& model, const Objective& objective,
                 const Batches& batches, const Batches* heldout, Monitor& monitor,
                 const StopRequest& stop)
    : plan_(std::move(plan)),
      model_(model),
      objective_(objective),
      batches_(batches),
      heldout_(heldout),
      monitor_(monitor),
      stop_(stop),
      lora_(make_lora(model, plan_.train)),
      team_(plan_.link, distributed::Team::parse_shard(plan_.train.sharding.shard), &model),
      average_(make_average(model, plan_.train)),
      optimizer_(
          team_.train(lora_ ? lora_->parameters() : trained_weights(model, plan_.train.freeze)),
          optimizer_options(plan_.train)),
      guard_(plan_.train.spike_factor),
      schedule_(schedule_of(plan_.train, batches.steps())),
      checkpoints_(plan_.run_dir, plan_.key),
      writer_(checkpoints_) {
  if (plan_.train.noise_scale && !team_.alone())
    throw Error(ErrorKind::usage, "noise_scale is measured by one process alone")
        .with_hint("leave train.noise_scale out with helio launch, torchrun or srun");
  model::ForwardOptions forward = forward_options(plan_.train);
  forward.lender = team_.lender();
  model_.set_forward(forward);
  checkpoints_.keep(plan_.train.keep_last);
}

Trainer::~Trainer() = default;

RunSummary Trainer::run() {
  team_.send(model_.parameters());
  if (lora_) team_.send(lora_->parameters());
  journal_ = std::make_unique<Journal>(
      Journal::Options{.run_dir = team_.leads() ? plan_.run_dir : fs::path(),
                       .log_every = plan_.train.log_every,
                       .steps = batches_.steps(),
                       .resume_step = done_,
                       .title = plan_.title},
      monitor_);
  if (window_) journal_->restore_window(*window_);
  began_at_ = done_;
  began_ = Clock::now();
  if (done_ == 0) {
    std::error_code ignored;
    if (team_.leads()) fs::remove_all(plan_.run_dir / "best", ignored);  // of an earlier run
    validate(0);
  }

  while (done_ < batches_.steps()) {
    writer_.check();
    const int64_t step = done_ + 1;
    journal_->step(
        in_context([&] { return fmt::format("taking step {} of {}", step, batches_.steps()); },
                   [&] { return take_step(step); }));
    done_ = step;

    if (validates_at(step)) validate(step);
    // Before the checkpoint, so that who goes on from it has told them.
    if (saves_at(step) || step == batches_.steps()) tell_samples(step);
    stopping_ = stopping_ || (team_.alone() && (stop_.raised() || reached_limit(step)));
    if (stopping_ || saves_at(step)) save();
    if (stopping_) stop_here();
  }

  writer_.wait();
  if (lora_ && team_.leads()) lora_->save(plan_.run_dir / "adapter");
  if (team_.divides_weights()) join_weights();
  const RunSummary summary{
      .steps = done_,
      .tokens = tokens_,
      .first_loss = first_loss_,
      .last_loss = last_losses_.empty()
                       ? 0
                       : std::accumulate(last_losses_.begin(), last_losses_.end(), 0.0) /
                             static_cast<double>(last_losses_.size()),
      .heldout_start = heldout_start_,
      .heldout_end = heldout_end_,
      .products = std::string(nn::config_dtype(forward_options(plan_.train).products)),
      .steps_skipped = guard_.spikes(),
      .best_step = best_step_,
      .noise_scale = noise_.known() ? std::optional(noise_.value()) : std::nullopt};
  journal_->end(fmt::format(
      "{} steps, loss {:.4f} to {:.4f}{}", summary.steps, summary.first_loss, summary.last_loss,
      heldout_end_ ? fmt::format(", held-out {:.4f} to {:.4f}", *heldout_start_, *heldout_end_)
                   : ""));
  return summary;
}

void Trainer::validate(int64_t step) {
  if (!heldout_) return;
  const c10::AutoGradMode no_grad(false);
  double sum = 0, weight = 0;
  std::vector<Term> terms;
  team_.begin_passes();
  for (int64_t s = 1; s <= heldout_->steps(); ++s) {
    const std::vector<MicroBatch> rows = heldout_->step(s);
    const std::vector<MicroBatch> own = team_.share(rows, objective_);
    for (const MicroBatch& batch : own) {
      const Loss loss = objective_.loss(model_, batch);
      sum += loss.sum.item<double>();
      weight += loss.weight;
      add_terms(terms, loss.terms);
    }
    team_.idle_passes(rows, own.size(), nn::Pass::forward);
  }
  team_.end_passes();
  const auto whole = team_.total({.loss = sum, .weight = weight, .terms = std::move(terms)});
  sum = whole.loss, weight = whole.weight;
  journal_->validation(step, sum / weight, whole.terms);
  if (step == 0) heldout_start_ = sum / weight;
  heldout_end_ = sum / weight;
  keep_if_best(step, sum / weight);
}

void Trainer::tell_samples(int64_t step) {
  if (!plan_.samples || !team_.leads()) return;
  if (!team_.divides_weights()) journal_->samples(step, plan_.samples->of(model_));
  else if (!std::exchange(told_of_no_samples_, true))
    journal_->note("no samples of text: no process has all weights");
}

void Trainer::keep_if_best(int64_t step, double heldout) {
  if (step == 0 || (best_ && *best_ <= heldout)) return;
  best_ = heldout;
  best_step_ = step;
  if (plan_.train.keep_best) save_best();
}

std::vector<std::filesystem::path> Trainer::save_beside(const std::filesystem::path& dir) const {
  std::vector<std::filesystem::path> written;
  if (average_) {
    written.push_back(dir / "ema");
    average_->save(written.back());
  }
  const fs::path best = plan_.run_dir / "best";
  if (plan_.train.keep_best && fs::is_directory(best)) {
    written.push_back(dir / "best");
    make_dirs(written.back());
    for (const auto& file : list_files(best)) fs::copy_file(file, written.back() / file.filename());
  }
  return written;
}

bool Trainer::reached_limit(int64_t step) const {
  if (step == batches_.steps()) return false;
  const Optimisation& train = plan_.train;
  return (train.stop_after > 0 && step - began_at_ >= train.stop_after) ||
         (train.time_limit > 0 && seconds_since(began_) >= 60 * train.time_limit);
}

bool Trainer::validates_at(int64_t step) const {
  return step == batches_.steps() ||
         (plan_.train.validate_every && step % plan_.train.validate_every == 0);
}

bool Trainer::saves_at(int64_t step) const {
  return plan_.train.save_every && step % plan_.train.save_every == 0;
}

void Trainer::stop_here() {
  monitor_.end(fmt::format("stopped at step {} of {}", done_, batches_.steps()));
  throw Error(
      ErrorKind::interrupted,
      fmt::format("stopped at step {} of {}; the work so far is saved", done_, batches_.steps()))
      .with_hint("go on:  " + plan_.resume_command + " --resume");
}

}  // namespace helio::train
