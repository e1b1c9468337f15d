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
#include "train/distributed/sharded_weights.h"
#include "train/journal.h"
#include "train/objective.h"

namespace helio::train::distributed {

// Meets the other processes of this run, as the environment says; null in a run of one process.
// Error{failed} when they do not all have the same key (another command, other options or inputs).
std::unique_ptr<Communicator> join(const std::string& key);

// Rank 0 makes the choice by choose(); the others find the same checkpoint in the run's folder.
std::optional<Checkpoints::Found> choose_checkpoint(
    Communicator* link, const Checkpoints& checkpoints,
    const std::function<std::optional<Checkpoints::Found>()>& choose);

// The weights whose values this process is to keep; empty: all. Error{usage}: weights are to be
// divided, and something else is asked for that needs them whole.
model::Decoder::Keeps kept_weights(const Communicator* link, const Optimisation& train,
                                   const checkpoint::DecoderConfig& config);

class Team {
 public:
  using Weights = std::vector<model::Decoder::Named>;
  enum class Shard { none, optimizer, gradients, weights };
  static Shard parse_shard(const std::string& name);

  // `link` may be null (alone: nothing is divided). Both must outlive the team. Shard::weights lets
  // go of the weights of `model` that others own; it is then to run with lender().
  Team(Communicator* link, Shard shard, const model::Decoder* model = nullptr);

  bool alone() const { return link_ == nullptr; }
  bool leads() const { return !link_ || link_->leads(); }
  int64_t size() const { return link_ ? link_->size() : 1; }
  // Does each process have a part of the optimiser's states, of the weights?
  bool divides_states() const { return link_ && shard_ != Shard::none; }
  bool divides_weights() const { return sharded_ != nullptr; }
  nn::LentWeights* lender() const { return sharded_.get(); }
  // Whether this process has the values of a weight of the model.
  bool keeps(const std::string& name) const { return !sharded_ || sharded_->owns(name); }

  // The weights whose gradients are added up, and which of them this process's optimiser updates:
  // all, or a part of about equal size. Called once, before the first step.
  Weights train(const Weights& weights);
  // Rank 0's values to all, unless the weights are divided: then each has its own.
  void send(const Weights& weights);

  // This process's share of a step's or a held-out set's rows. An objective that compares rows is
  // asked here for what it does without any.
  std::vector<MicroBatch> share(std::vector<MicroBatch> step, const Objective& objective) const;
  // Before the first pass of a step or of held-out rows; after the last pass of held-out rows.
  void begin_passes();
  void end_passes();
  // After the passes of its `own` share of `step`: the ones that others still make, without rows.
  void idle_passes(const std::vector<MicroBatch>& step, size_t own, nn::Pass pass);
  // Before the backward pass that completes a step's gradients, and after it.
  void begin_gradients();
  void finish_gradients();
  // Zeros where a weight has no gradient: of a process that had no rows in a step.
  void fill_gradients(const Weights& weights) const;
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

  // A file of tensors: `save` writes this process's part of it, or all where it is not divided.
  using Save = std::function<void(const std::filesystem::path& file)>;
  enum class Part { of_weights, of_states };
  struct Source {
    std::string name = {};
    Part part = Part::of_states;
    Save save = {};
  };
  // Puts files together. All processes call this with the same `scratch` folder, which all see;
  // rank 0's `write` is given what writes one of the sources whole, by its name.
  using Whole = std::function<void(const std::string& name, const std::filesystem::path& file)>;
  void save(const std::filesystem::path& scratch, const std::vector<Source>& sources,
            const std::function<void(const Whole& whole)>& write) const;

 private:
  Communicator* link_;
  Shard shard_;
  std::unique_ptr<ShardedWeights> sharded_ = {};  // Shard::weights
  Weights weights_ = {};
  std::vector<int64_t> owners_ = {};  // of each weight, where states alone are divided
  std::unique_ptr<GradientSum> sum_ = {};
};

}  // namespace helio::train::distributed
