// The training loop: steps, validation, checkpoints, and stopping in good order.
//
// Design goals: a run that was stopped or killed and resumed ends with the same bits as one that
// was not (same machine, same thread count); nothing not finite ever reaches the weights that are
// kept. Several processes train one model together (distributed/team.h). Non-goals: devices.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/monitor.h"
#include "model/decoder.h"
#include "train/batches.h"
#include "train/checkpoints.h"
#include "train/distributed/team.h"
#include "train/journal.h"
#include "train/lora.h"
#include "train/objective.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace helio::train {

struct Plan {
  Optimisation train = {};
  std::filesystem::path run_dir = {};
  std::string title = {};                     // "Pre-training"
  std::string key = {};                       // of the checkpoints: see run_key
  std::string resume_command = {};            // shown when the run is stopped
  distributed::Communicator* link = nullptr;  // to the run's other processes, where it has any
};

struct RunSummary {
  int64_t steps = 0, tokens = 0;         // tokens: inputs the model read
  double first_loss = 0, last_loss = 0;  // of the first step; mean of the last ten
  std::optional<double> heldout_start = {}, heldout_end = {};
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
  // to stop, after a checkpoint; Error{failed} at a loss or gradient that is not finite: the last
  // checkpoint stays as it is.
  RunSummary run();

 private:
  StepReport take_step(int64_t step);
  void validate(int64_t step);
  void save();
  bool validates_at(int64_t step) const;
  bool saves_at(int64_t step) const;
  [[noreturn]] void refuse_step(int64_t step, double loss, double grad_norm) const;
  [[noreturn]] void stop_here();

  Plan plan_;
  model::Decoder& model_;
  const Objective& objective_;
  const Batches& batches_;
  const Batches* heldout_;
  Monitor& monitor_;
  const StopRequest& stop_;
  std::unique_ptr<Lora> lora_;
  distributed::Team team_;
  Optimizer optimizer_;
  Schedule schedule_;
  Checkpoints checkpoints_;
  std::unique_ptr<Journal> journal_;
  int64_t done_ = 0, tokens_ = 0;
  bool stopping_ = false;
  double first_loss_ = 0;
  std::vector<double> last_losses_ = {};  // of the last ten steps
  std::optional<double> heldout_start_ = {}, heldout_end_ = {};
  std::optional<Json> window_ = {};  // of the journal, from the checkpoint
};

// Sets how many threads tensor work uses (0: all cores this process may use); returns the number.
int64_t use_threads(int64_t asked);

}  // namespace helio::train
