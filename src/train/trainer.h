// The training loop: steps, validation, checkpoints, and stopping in good order.
//
// Design goals: a run that was stopped or killed and resumed ends with the same bits as one that
// was not (same machine, same thread count); nothing not finite ever reaches the weights that are
// kept. Several processes train one model together (distributed/team.h). Non-goals: devices.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/monitor.h"
#include "model/decoder.h"
#include "train/batches.h"
#include "train/checkpoint_writer.h"
#include "train/checkpoints.h"
#include "train/distributed/team.h"
#include "train/journal.h"
#include "train/lora.h"
#include "train/noise_scale.h"
#include "train/objective.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/spike_guard.h"
#include "train/text_samples.h"
#include "train/weight_average.h"

namespace helio::train {

struct Plan {
  Optimisation train = {};
  std::filesystem::path run_dir = {};
  std::string title = {};                     // "Pre-training"
  std::string key = {};                       // of the checkpoints: see run_key
  std::string resume_command = {};            // shown when the run is stopped
  distributed::Communicator* link = nullptr;  // to the run's other processes, where it has any
  const TextSamples* samples = nullptr;       // told at checkpoints and at the end; may be null
};

struct RunSummary {
  int64_t steps = 0, tokens = 0;         // tokens: inputs the model read
  double first_loss = 0, last_loss = 0;  // of the first step; mean of the last ten
  std::optional<double> heldout_start = {}, heldout_end = {};
  std::string products = {};               // the type that factors of products were rounded to
  int64_t steps_skipped = 0;               // spikes, by train.spike_factor
  int64_t best_step = 0;                   // with the lowest held-out loss; 0: not measured
  std::optional<double> noise_scale = {};  // in targets, where it was measured
  OrderedJson json() const;
};

class Trainer {
 public:
  // `heldout` may be null. Everything must outlive the trainer.
  Trainer(Plan plan, model::Decoder& model, const Objective& objective, const Batches& batches,
          const Batches* heldout, Monitor& monitor, const StopRequest& stop);
  ~Trainer();

  // Goes on from there instead of from the start.
  void restore(const Checkpoints::Found& checkpoint);
  // Runs to the end; with LoRA the adapter is written to RUN/adapter. Error{interrupted} when asked
  // to stop or at a limit of this call, after a checkpoint; Error{failed} at a loss or gradient
  // that is not finite, and at spikes as asked: the last checkpoint stays as it is.
  RunSummary run();
  // Config and weights of the trained model, after run(), into a folder: by rank 0.
  void save_model(const std::filesystem::path& dir) const;
  // What stands beside the trained model, as asked for: the average of the weights in ema, the best
  // ones in best. Each a model folder without tokenizer; returns those written.
  std::vector<std::filesystem::path> save_beside(const std::filesystem::path& dir) const;

 private:
  using Team = distributed::Team;
  // A step and what may refuse it (trainer_step.cpp).
  StepReport take_step(int64_t step);
  // The step's gradient, over all micro-batches, into the weights; loss and terms into the report.
  void gather_gradients(const std::vector<MicroBatch>& micro_batches, StepReport& report);
  // Is the step to be left out? Notes it, or throws as asked.
  bool spikes(const StepReport& report);
  double utilisation(const StepReport& report, size_t rows);
  [[noreturn]] void refuse_step(int64_t step, double loss, double grad_norm) const;
  std::string documents_of(int64_t step) const;  // the first few names

  // What is written (trainer_state.cpp): a checkpoint, while training goes on where it can.
  void save();
  void save_parts(const OrderedJson& state);
  enum class Adapters { included, left_out };
  std::vector<nn::NamedTensor> weights_to_keep(Adapters adapters) const;
  std::vector<nn::NamedTensor> states_to_keep() const;
  void save_best() const;
  // RUN/checkpoints/trained.safetensors of all processes' parts.
  void join_weights() const;
  Team::Source weights_file(Adapters adapters) const;
  std::filesystem::path parts_dir() const;

  void validate(int64_t step);
  void tell_samples(int64_t step);
  void keep_if_best(int64_t step, double heldout);
  bool reached_limit(int64_t step) const;
  bool validates_at(int64_t step) const;
  bool saves_at(int64_t step) const;
  [[noreturn]] void stop_here();

  Plan plan_;
  model::Decoder& model_;
  const Objective& objective_;
  const Batches& batches_;
  const Batches* heldout_;
  Monitor& monitor_;
  const StopRequest& stop_;
  std::unique_ptr<Lora> lora_;
  Team team_;
  std::unique_ptr<WeightAverage> average_;
  Optimizer optimizer_;
  SpikeGuard guard_;
  NoiseScale noise_ = {};
  Schedule schedule_;
  Checkpoints checkpoints_;
  CheckpointWriter writer_;
  std::unique_ptr<Journal> journal_;
  int64_t done_ = 0, tokens_ = 0;
  bool stopping_ = false;
  bool told_of_waiting_ = false;     // that steps wait while checkpoints are written
  bool told_of_no_samples_ = false;  // that divided weights write none
  double first_loss_ = 0;
  std::vector<double> last_losses_ = {};  // of the last ten steps
  std::optional<double> heldout_start_ = {}, heldout_end_ = {}, best_ = {};
  int64_t best_step_ = 0, began_at_ = 0;  // steps done when this call began
  std::chrono::steady_clock::time_point began_ = {};
  double step_seconds_ = 0, product_rate_ = 0;  // spent in steps so far; FLOP/s, once measured
  std::optional<Json> window_ = {};             // of the journal, from the checkpoint
};

}  // namespace helio::train
