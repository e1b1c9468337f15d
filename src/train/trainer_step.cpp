// One step of the trainer: the gradient of its rows, the update, and steps that are refused.
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "core/error.h"
#include "nn/torch_error.h"
#include "train/compute.h"
#include "train/estimate.h"
#include "train/trainer.h"

namespace helio::train {
namespace {

using Clock = std::chrono::steady_clock;

int64_t inputs_of(const std::vector<MicroBatch>& batches) {
  int64_t tokens = 0;
  for (const MicroBatch& batch : batches)
    for (const Row& row : batch.rows) tokens += static_cast<int64_t>(row.inputs.size());
  return tokens;
}

constexpr size_t kLastLosses = 10;

constexpr int64_t kSpikesInARow = 10;  // skipped before the run stops

}  // namespace

void Trainer::gather_gradients(const std::vector<MicroBatch>& micro_batches, StepReport& report) {
  double weight = 0;
  for (const MicroBatch& batch : micro_batches) weight += objective_.weight(batch);
  if (weight == 0) weight = 1;  // nothing is learned from these rows: no gradient
  double first_norm = 0;
  const std::vector<MicroBatch> own = team_.share(micro_batches, objective_);
  team_.begin_passes();
  for (const MicroBatch& batch : own) {
    if (&batch == &own.back()) team_.begin_gradients();
    nn::with_torch_errors(
        [&] { return fmt::format("running {} rows", batch.rows.size()); },
        [&] {
          const Loss loss = objective_.loss(model_, batch);
          (loss.sum / weight)
              .backward();  // a share of the whole step's mean, however it was cut up
          report.loss += loss.sum.item<double>() / weight;
          add_terms(report.terms, loss.terms);
        });
    if (plan_.train.noise_scale && !lora_ && &batch == &own.front())
      first_norm = optimizer_.clip(0);
  }
  team_.idle_passes(micro_batches, own.size(), nn::Pass::backward);
  if (own.empty()) {
    team_.begin_gradients();
    team_.fill_gradients(model_.parameters());
  }
  if (lora_) lora_->take_gradients();
  team_.finish_gradients();
  auto figures = team_.total({.loss = report.loss,
                              .terms = std::move(report.terms),
                              .stop = stop_.raised() || reached_limit(report.step)});
  report.loss = figures.loss;
  report.terms = std::move(figures.terms);
  stopping_ = !team_.alone() && figures.stop;
  report.grad_norm =
      optimizer_.clip(plan_.train.clip, [&](double norm) { return team_.whole_norm(norm); });
  if (first_norm == 0 || micro_batches.size() < 2 || !std::isfinite(report.grad_norm)) return;
  const double few = objective_.weight(micro_batches.front());
  noise_.add(std::pow(first_norm * weight / few, 2), few, std::pow(report.grad_norm, 2), weight);
  if (noise_.known())
    report.terms.push_back({.name = "gradient_noise_scale", .sum = noise_.value(), .weight = 1});
}

StepReport Trainer::take_step(int64_t step) {
  const auto started = Clock::now();
  const std::vector<MicroBatch> micro_batches = batches_.step(step);
  StepReport report{.step = step, .lr = schedule_.at(step), .epoch = batches_.epoch(step)};
  gather_gradients(micro_batches, report);
  if (!std::isfinite(report.loss) || !std::isfinite(report.grad_norm))
    refuse_step(step, report.loss, report.grad_norm);
  const bool skipped = spikes(report);
  if (!skipped) optimizer_.step(report.lr);
  optimizer_.clear_grads();
  if (!skipped) team_.share_update();
  if (!skipped && lora_) lora_->apply();
  if (!skipped && average_) average_->follow();
  if (plan_.train.spike_factor > 0)
    report.terms.push_back(
        {.name = "steps_skipped", .sum = static_cast<double>(guard_.spikes()), .weight = 1});

  report.tokens = inputs_of(micro_batches);
  report.tokens_so_far = tokens_ += report.tokens;
  if (step == 1) first_loss_ = report.loss;
  if (last_losses_.size() == kLastLosses) last_losses_.erase(last_losses_.begin());
  last_losses_.push_back(report.loss);
  report.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  size_t rows = 0;
  for (const MicroBatch& batch : micro_batches) rows += batch.rows.size();
  report.utilisation = utilisation(report, rows);
  return report;
}

// Known once steps have taken so long that measuring the machine costs nothing beside them.
double Trainer::utilisation(const StepReport& report, size_t rows) {
  constexpr double kEnough = 10;
  step_seconds_ += report.seconds;
  if (step_seconds_ < kEnough || rows == 0) return 0;
  if (product_rate_ == 0)
    product_rate_ =
        product_rate(model_.config().hidden_size, forward_options(plan_.train).products);
  const double forward = forward_flops(model_.config(), report.tokens / static_cast<int64_t>(rows));
  return 3 * forward * static_cast<double>(report.tokens) / report.seconds / product_rate_;
}

bool Trainer::spikes(const StepReport& report) {
  const std::string why = guard_.judge(report.loss, report.grad_norm);
  if (why.empty()) return false;
  const std::string batch = "with these documents in the batch: " + documents_of(report.step);
  const bool at_once = plan_.train.spike_action == "stop";
  if (at_once || guard_.in_a_row() >= kSpikesInARow)
    throw Error(ErrorKind::failed,
                at_once ? "a spike: " + why
                        : fmt::format("{} spikes in a row, the last: {}", guard_.in_a_row(), why))
        .add_context(batch)
        .with_hint(
            "the last checkpoint stays; look at these documents, lower train.lr, or raise "
            "train.spike_factor");
  journal_->note(fmt::format("step {} is left out: {}; {}", report.step, why, batch));
  return true;
}

std::string Trainer::documents_of(int64_t step) const {
  const auto ids = batches_.documents(step);
  constexpr size_t kShown = 8;
  std::string names;
  for (size_t i = 0; i < std::min(ids.size(), kShown); ++i) names += (i ? ", " : "") + ids[i];
  if (ids.size() > kShown) names += fmt::format(" and {} more", ids.size() - kShown);
  return names;
}

void Trainer::refuse_step(int64_t step, double loss, double grad_norm) const {
  throw Error(ErrorKind::failed,
              fmt::format("the loss ({}) or its gradient (norm {}) is not finite", loss, grad_norm))
      .add_context("with these documents in the batch: " + documents_of(step))
      .with_hint(
          "weights were not touched, the last checkpoint stays; lower train.lr or look at these "
          "documents");
}

}  // namespace helio::train
