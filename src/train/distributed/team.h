// What a training run does with its other processes; alone, each of these does nothing.
//
// A run of N processes trains as one does: each takes a share of every optimiser step's rows, sums
// are divided by the weight of the whole step (which every process knows: batches are a function of
// the step), gradients are added up, and all make the same update.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "model/decoder.h"
#include "train/batches.h"
#include "train/checkpoints.h"
#include "train/distributed/communicator.h"
#include "train/distributed/gradient_sum.h"
#include "train/journal.h"

namespace helio::train::distributed {

// Meets the other processes of this run, as the environment says; null in a run of one process.
// Error{failed} when they do not all have the same key (another command, other options or inputs).
std::unique_ptr<Communicator> join(const std::string& key);

// Rank 0 makes the choice by choose(); the others find the same checkpoint in the run's folder.
std::optional<Checkpoints::Found> choose_checkpoint(
    Communicator* link, const Checkpoints& checkpoints,
    const std::function<std::optional<Checkpoints::Found>()>& choose);

class Team {
 public:
  using Weights = std::vector<model::Decoder::Named>;
  enum class Shard { none, optimizer, gradients };
  static Shard parse_shard(const std::string& name);

  // `link` may be null (alone) and must outlive the team.
  Team(Communicator* link, Shard shard);

  bool alone() const { return link_ == nullptr; }
  bool leads() const { return !link_ || link_->leads(); }
  int64_t size() const { return link_ ? link_->size() : 1; }

  // The weights whose gradients are added up, and which of them this process's optimiser updates:
  // all, or a part of about equal size. Called once, before the first step.
  Weights train(const Weights& weights);
  // Rank 0's values to all.
  void send(const Weights& weights);

  // This process's share of a step's or a held-out set's rows.
  std::vector<MicroBatch> share(std::vector<MicroBatch> step) const;
  // Before the backward pass that completes a step's gradients, and after it.
  void begin_gradients();
  void finish_gradients();
  // Zeros where a weight has no gradient: of a process that had no rows in a step.
  static void fill_gradients(const Weights& weights);
  // From the L2 norm of what this process updates to that of all.
  double whole_norm(double own) const;
  // After an update: every process's part to all.
  void share_update();

  // Figures added up over all processes, in the order of their ranks.
  struct Figures {
    double loss = 0, weight = 0;
    std::vector<Term> terms = {};
    bool stop = false;  // of any
  };
  Figures total(Figures own) const;

  // Writes the optimiser's whole state: `save` writes this process's tensors. All processes call
  // this with the same `scratch` folder, which all see; rank 0 puts the parts together in the file
  // that `write` (of rank 0 only) asks for.
  using Save = std::function<void(const std::filesystem::path& file)>;
  void save_state(const std::filesystem::path& scratch, const Save& save,
                  const std::function<void(const Save& save_whole)>& write);

 private:
  bool sharded() const { return link_ && shard_ != Shard::none; }

  Communicator* link_;
  Shard shard_;
  Weights weights_ = {};
  std::vector<int64_t> owners_ = {};  // of each weight, where sharded
  std::unique_ptr<GradientSum> sum_ = {};
};

}  // namespace helio::train::distributed
