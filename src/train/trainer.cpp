#include "train/trainer.h"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <fnmatch.h>

#include <chrono>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/fs.h"
#include "nn/processor.h"
#include "nn/runtime.h"
#include "nn/tensor_io.h"
#include "nn/torch_error.h"
#include "train/estimate.h"

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

std::unique_ptr<WeightAverage> make_average(const model::Decoder& model,
                                            const Optimisation& train) {
  if (train.ema == 0) return nullptr;
  if (train.lora_rank != 0)
    throw Error(ErrorKind::usage, "ema averages all weights: it has no meaning with LoRA")
        .with_hint("leave out train.ema or train.lora_rank");
  return std::make_unique<WeightAverage>(model, train.ema);
}

Optimizer::Options optimizer_options(const Optimisation& train) {
  return {.beta1 = train.beta1,
          .beta2 = train.beta2,
          .eps = train.eps,
          .weight_decay = train.weight_decay,
          .kind = train.optimizer,
          .momentum = train.muon_momentum,
          .muon_scale = train.muon_scale == "original" ? MuonScale::original : MuonScale::as_adamw};
}

constexpr int64_t kSpikesInARow = 10;  // skipped before the run stops

}  // namespace

int64_t use_threads(int64_t asked) {
  nn::prepare_runtime(asked > 0 ? asked : distributed::default_threads());
  return nn::threads_in_use();
}

model::ForwardOptions forward_options(const Optimisation& train) {
  const bool rounded =
      train.dtype == "bfloat16" || (train.dtype == "auto" && nn::processor().amx_bf16);
  return {.keep = train.recompute ? model::Keep::inputs : model::Keep::activations,
          .products = rounded ? at::kBFloat16 : at::kFloat};
}

OrderedJson RunSummary::json() const {
  return {{"steps", steps},
          {"tokens", tokens},
          {"products", products},
          {"loss_first", first_loss},
          {"loss_last", last_loss},
          {"heldout_loss_start", or_null(heldout_start)},
          {"heldout_loss_end", or_null(heldout_end)},
          {"best_step", best_step},
          {"steps_skipped", steps_skipped},
          {"gradient_noise_scale", or_null(noise_scale)}};
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
      average_(make_average(model, plan_.train)),
      team_(plan_.link, distributed::Team::parse_shard(plan_.train.sharding.shard)),
      optimizer_(
          team_.train(lora_ ? lora_->parameters() : trained_weights(model, plan_.train.freeze)),
          optimizer_options(plan_.train)),
      guard_(plan_.train.spike_factor),
      schedule_(schedule_of(plan_.train, batches.steps())),
      checkpoints_(plan_.run_dir, plan_.key) {
  if (plan_.train.noise_scale && !team_.alone())
    throw Error(ErrorKind::usage, "noise_scale is measured by one process alone")
        .with_hint("leave train.noise_scale out with helio launch, torchrun or srun");
  model_.set_forward(forward_options(plan_.train));
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
    const int64_t step = done_ + 1;
    journal_->step(
        in_context([&] { return fmt::format("taking step {} of {}", step, batches_.steps()); },
                   [&] { return take_step(step); }));
    done_ = step;

    if (validates_at(step)) validate(step);
    stopping_ = stopping_ || (team_.alone() && (stop_.raised() || reached_limit(step)));
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

void Trainer::gather_gradients(const std::vector<MicroBatch>& micro_batches, StepReport& report) {
  double weight = 0;
  for (const MicroBatch& batch : micro_batches) weight += objective_.weight(batch);
  if (weight == 0) weight = 1;  // nothing is learned from these rows: no gradient
  double first_norm = 0;
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
    if (plan_.train.noise_scale && !lora_ && &batch == &own.front())
      first_norm = optimizer_.clip(0);
  }
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
  report.seconds = seconds_since(started);
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
  keep_if_best(step, sum / weight);
}

void Trainer::keep_if_best(int64_t step, double heldout) {
  if (step == 0 || (best_ && *best_ <= heldout)) return;
  best_ = heldout;
  best_step_ = step;
  if (!plan_.train.keep_best || !team_.leads()) return;
  StagedDir staged(plan_.run_dir / "best");
  model_.save(staged.path());
  staged.commit();
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
      {"best", or_null(best_)},
      {"best_step", best_step_},
      {"updates", optimizer_.steps()},
      {"guard", guard_.state()},
      {"noise", noise_.state()},
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
      [&](const std::filesystem::path& file) {
        std::vector<nn::NamedTensor> states = optimizer_.state();
        if (average_ && team_.leads())
          for (auto& tensor : average_->state()) states.push_back(std::move(tensor));
        nn::write_tensors(file, states);
      },
      write);
}

void Trainer::restore(const Checkpoints::Found& checkpoint) {
  in_context([&] { return "resuming from " + checkpoint.dir.string(); },
             [&] {
               const c10::AutoGradMode no_grad(false);
               const checkpoint::SafeTensors file(checkpoint.dir / "model.safetensors");
               for (const auto& [name, tensor] : model_.parameters())
                 nn::read_tensor_into(file, file.at(name), tensor);
               if (lora_) lora_->load(file);
               const Json& state = checkpoint.state;
               const checkpoint::SafeTensors states(checkpoint.dir / "optimizer.safetensors");
               optimizer_.load(states, state.at("updates").get<int64_t>());
               if (average_) average_->load(states);
               guard_.restore(state.at("guard"));
               noise_.restore(state.at("noise"));
               best_ = from_json(state.at("best"));
               best_step_ = state.at("best_step").get<int64_t>();
               done_ = checkpoint.step;
               tokens_ = state.at("data").at("tokens").get<int64_t>();
               first_loss_ = state.at("first_loss").get<double>();
               last_losses_ = state.at("last_losses").get<std::vector<double>>();
               heldout_start_ = from_json(state.at("heldout_start"));
               heldout_end_ = from_json(state.at("heldout_end"));
               window_ = state.at("window");
             });
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

void Trainer::stop_here() {
  monitor_.end(fmt::format("stopped at step {} of {}", done_, batches_.steps()));
  throw Error(
      ErrorKind::interrupted,
      fmt::format("stopped at step {} of {}; the work so far is saved", done_, batches_.steps()))
      .with_hint("go on:  " + plan_.resume_command + " --resume");
}

}  // namespace helio::train
