#include "train/trainer.h"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fnmatch.h>

#include <chrono>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "nn/runtime.h"
#include "nn/tensor_io.h"
#include "nn/torch_error.h"

namespace helio::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t inputs_of(const std::vector<MicroBatch>& batches) {
  int64_t tokens = 0;
  for (const MicroBatch& batch : batches)
    for (const Row& row : batch.rows) tokens += static_cast<int64_t>(row.inputs.size());
  return tokens;
}

Schedule schedule_of(const Optimisation& train, int64_t steps) {
  return Schedule({.shape = train.schedule,
                   .peak = train.lr,
                   .min_ratio = train.min_lr_ratio,
                   .warmup_ratio = train.warmup_ratio,
                   .decay_ratio = train.decay_ratio,
                   .steps = steps});
}

OrderedJson or_null(const std::optional<double>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

std::optional<double> from_json(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
}

constexpr size_t kLastLosses = 10;

std::unique_ptr<Lora> make_lora(const model::Decoder& model, const Optimisation& train) {
  if (train.lora_rank == 0) return nullptr;
  if (!train.freeze.empty())
    throw Error(ErrorKind::usage, "freeze has no meaning with LoRA: all weights stay as they are")
        .with_hint("choose what is adapted by lora_targets");
  return std::make_unique<Lora>(model, Lora::Options{.rank = train.lora_rank,
                                                     .alpha = train.lora_alpha,
                                                     .targets = train.lora_targets,
                                                     .seed = static_cast<uint64_t>(train.seed)});
}

// All weights but those whose names match a pattern (fnmatch's * ? [...]); these keep no gradient.
std::vector<model::Decoder::Named> trained_weights(const model::Decoder& model,
                                                   const std::vector<std::string>& frozen) {
  std::vector<model::Decoder::Named> trained;
  std::vector<bool> used(frozen.size());
  for (const auto& weight : model.parameters()) {
    bool stays = true;
    for (size_t i = 0; i < frozen.size(); ++i)
      if (fnmatch(frozen[i].c_str(), weight.name.c_str(), 0) == 0) {
        used[i] = true;
        stays = false;
      }
    weight.tensor.set_requires_grad(stays);
    if (stays) trained.push_back(weight);
  }
  for (size_t i = 0; i < frozen.size(); ++i)
    if (!used[i])
      throw Error(ErrorKind::invalid, "no weight is named like '" + frozen[i] + "'")
          .with_hint("names are like " + model.parameters().back().name);
  if (trained.empty())
    throw Error(ErrorKind::invalid, "every weight is frozen: there is nothing to train");
  return trained;
}

}  // namespace

int64_t use_threads(int64_t asked) {
  nn::prepare_runtime(asked > 0 ? asked : distributed::default_threads());
  return nn::threads_in_use();
}

OrderedJson RunSummary::json() const {
  return {{"steps", steps},
          {"tokens", tokens},
          {"loss_first", first_loss},
          {"loss_last", last_loss},
          {"heldout_loss_start", or_null(heldout_start)},
          {"heldout_loss_end", or_null(heldout_end)}};
}

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
      team_(plan_.link, distributed::Team::parse_shard(plan_.train.sharding.shard)),
      optimizer_(
          team_.train(lora_ ? lora_->parameters() : trained_weights(model, plan_.train.freeze)),
          {.beta1 = plan_.train.beta1,
           .beta2 = plan_.train.beta2,
           .eps = plan_.train.eps,
           .weight_decay = plan_.train.weight_decay}),
      schedule_(schedule_of(plan_.train, batches.steps())),
      checkpoints_(plan_.run_dir, plan_.key) {}

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
  if (done_ == 0) validate(0);

  while (done_ < batches_.steps()) {
    const int64_t step = done_ + 1;
    journal_->step(
        in_context([&] { return fmt::format("taking step {} of {}", step, batches_.steps()); },
                   [&] { return take_step(step); }));
    done_ = step;

    if (validates_at(step)) validate(step);
    stopping_ = stopping_ || (team_.alone() && stop_.raised());
    if (stopping_ || saves_at(step)) save();
    if (stopping_) stop_here();
  }

  if (lora_ && team_.leads()) lora_->save(plan_.run_dir / "adapter");
  const RunSummary summary{
      .steps = done_,
      .tokens = tokens_,
      .first_loss = first_loss_,
      .last_loss = last_losses_.empty()
                       ? 0
                       : std::accumulate(last_losses_.begin(), last_losses_.end(), 0.0) /
                             static_cast<double>(last_losses_.size()),
      .heldout_start = heldout_start_,
      .heldout_end = heldout_end_};
  journal_->end(fmt::format(
      "{} steps, loss {:.4f} to {:.4f}{}", summary.steps, summary.first_loss, summary.last_loss,
      heldout_end_ ? fmt::format(", held-out {:.4f} to {:.4f}", *heldout_start_, *heldout_end_)
                   : ""));
  return summary;
}

StepReport Trainer::take_step(int64_t step) {
  const auto started = Clock::now();
  const std::vector<MicroBatch> micro_batches = batches_.step(step);
  double weight = 0;
  for (const MicroBatch& batch : micro_batches) weight += objective_.weight(batch);
  if (weight == 0) weight = 1;  // nothing is learned from these rows: no gradient

  StepReport report{.step = step, .lr = schedule_.at(step), .epoch = batches_.epoch(step)};
  const std::vector<MicroBatch> own = team_.share(micro_batches);
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
  }

  if (own.empty()) {
    team_.begin_gradients();
    team_.fill_gradients(model_.parameters());
  }
  if (lora_) lora_->take_gradients();
  team_.finish_gradients();
  auto figures =
      team_.total({.loss = report.loss, .terms = std::move(report.terms), .stop = stop_.raised()});
  report.loss = figures.loss;
  report.terms = std::move(figures.terms);
  stopping_ = !team_.alone() && figures.stop;
  report.grad_norm =
      optimizer_.clip(plan_.train.clip, [&](double norm) { return team_.whole_norm(norm); });
  if (!std::isfinite(report.loss) || !std::isfinite(report.grad_norm))
    refuse_step(step, report.loss, report.grad_norm);
  optimizer_.step(report.lr);
  optimizer_.clear_grads();
  team_.share_update();
  if (lora_) lora_->apply();

  report.tokens = inputs_of(micro_batches);
  report.tokens_so_far = tokens_ += report.tokens;
  if (step == 1) first_loss_ = report.loss;
  if (last_losses_.size() == kLastLosses) last_losses_.erase(last_losses_.begin());
  last_losses_.push_back(report.loss);
  report.seconds = seconds_since(started);
  return report;
}

void Trainer::validate(int64_t step) {
  if (!heldout_) return;
  const c10::AutoGradMode no_grad(false);
  double sum = 0, weight = 0;
  std::vector<Term> terms;
  for (int64_t s = 1; s <= heldout_->steps(); ++s)
    for (const MicroBatch& batch : team_.share(heldout_->step(s))) {
      const Loss loss = objective_.loss(model_, batch);
      sum += loss.sum.item<double>();
      weight += loss.weight;
      add_terms(terms, loss.terms);
    }
  const auto whole = team_.total({.loss = sum, .weight = weight, .terms = std::move(terms)});
  sum = whole.loss, weight = whole.weight;
  journal_->validation(step, sum / weight, whole.terms);
  if (step == 0) heldout_start_ = sum / weight;
  heldout_end_ = sum / weight;
}

bool Trainer::validates_at(int64_t step) const {
  return step == batches_.steps() ||
         (plan_.train.validate_every && step % plan_.train.validate_every == 0);
}

bool Trainer::saves_at(int64_t step) const {
  return plan_.train.save_every && step % plan_.train.save_every == 0;
}

void Trainer::save() {
  journal_->flush();
  const OrderedJson state = {
      // Where the data stands follows from the step and the seed: batches are a function of both.
      {"data", {{"step", done_}, {"tokens", tokens_}}},
      {"rng", {{"seed", plan_.train.seed}}},
      {"first_loss", first_loss_},
      {"last_losses", last_losses_},
      {"heldout_start", or_null(heldout_start_)},
      {"heldout_end", or_null(heldout_end_)},
      {"window", journal_->window()}};
  const auto write = [&](const distributed::Team::Save& save_state) {
    checkpoints_.save(done_, state, [&](const std::filesystem::path& dir) {
      std::vector<nn::NamedTensor> weights;
      for (const auto& [name, tensor] : model_.parameters())
        weights.push_back({name, tensor.detach()});
      if (lora_)
        for (const auto& [name, tensor] : lora_->parameters())
          weights.push_back({name, tensor.detach()});
      nn::write_tensors(dir / "model.safetensors", weights);
      save_state(dir / "optimizer.safetensors");
    });
  };
  team_.save_state(
      plan_.run_dir / "checkpoints" / "parts",
      [&](const std::filesystem::path& file) { optimizer_.save(file); }, write);
}

void Trainer::restore(const Checkpoints::Found& checkpoint) {
  in_context([&] { return "resuming from " + checkpoint.dir.string(); },
             [&] {
               const c10::AutoGradMode no_grad(false);
               const checkpoint::SafeTensors file(checkpoint.dir / "model.safetensors");
               for (const auto& [name, tensor] : model_.parameters())
                 nn::read_tensor_into(file, file.at(name), tensor);
               if (lora_) lora_->load(file);
               optimizer_.load(checkpoint.dir / "optimizer.safetensors", checkpoint.step);
               const Json& state = checkpoint.state;
               done_ = checkpoint.step;
               tokens_ = state.at("data").at("tokens").get<int64_t>();
               first_loss_ = state.at("first_loss").get<double>();
               last_losses_ = state.at("last_losses").get<std::vector<double>>();
               heldout_start_ = from_json(state.at("heldout_start"));
               heldout_end_ = from_json(state.at("heldout_end"));
               window_ = state.at("window");
             });
}

void Trainer::refuse_step(int64_t step, double loss, double grad_norm) const {
  const auto ids = batches_.documents(step);
  constexpr size_t kShown = 8;
  std::string names;
  for (size_t i = 0; i < std::min(ids.size(), kShown); ++i) names += (i ? ", " : "") + ids[i];
  if (ids.size() > kShown) names += fmt::format(" and {} more", ids.size() - kShown);
  throw Error(ErrorKind::failed,
              fmt::format("the loss ({}) or its gradient (norm {}) is not finite", loss, grad_norm))
      .add_context("with these documents in the batch: " + names)
      .with_hint(
          "weights were not touched, the last checkpoint stays; lower train.lr or look at these "
          "documents");
}

void Trainer::stop_here() {
  monitor_.end(fmt::format("stopped at step {} of {}", done_, batches_.steps()));
  throw Error(
      ErrorKind::interrupted,
      fmt::format("stopped at step {} of {}; the work so far is saved", done_, batches_.steps()))
      .with_hint("go on:  " + plan_.resume_command + " --resume");
}

}  // namespace helio::train
