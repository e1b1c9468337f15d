// helio align: preference optimisation in steps (sDPO, Kim et al. 2024; one step is plain DPO).
//
// The held-out pairs are set aside first, by a hash of their prompts. The rest is cut into T chunks
// by what the start model M0 makes of it (chunks.h). Step t starts from M(t-1), is
// measured against M(t-1), learns from chunk t with an optimiser and a schedule of its own, and
// writes M(t) to OUT/step-t; its metrics and checkpoints are in RUN/step-t. Only one model is in
// memory: reference log-probabilities are computed before a step begins and kept in RUN/reference.
#pragma once

#include <functional>

#include "core/monitor.h"
#include "train/chunks.h"
#include "train/estimate.h"
#include "train/options.h"
#include "train/reference_scores.h"
#include "train/run_setup.h"
#include "train/trainer.h"

namespace helio::train {

// The loss the options name. Error{usage}, Error{invalid} as LossFormula.
LossFormula loss_formula(const PreferenceChoice& options);
PreferenceBatches::Options batch_options(const Optimisation& train);
OrderedJson duplicates_json(const Duplicates& duplicates);

// Does a pair share words with a benchmark? Which ones is the caller's to tell.
using PairCheck = std::function<bool(const text::Preference&)>;

class AlignRun {
 public:
  // `contaminated` is asked of every pair when options.benchmarks names any (engine/align_run.h).
  explicit AlignRun(AlignOptions options, const PairCheck& contaminated = {});

  // Hash of everything that decides the result (run_setup.h).
  const std::string& key() const { return setup_.key; }
  OrderedJson plan() const;
  // The same with each chunk: pairs, steps, sources and, unless the order is random, how easy M0
  // finds it. For that all pairs are scored under M0; the scores are kept for the run.
  OrderedJson plan_chunks(Monitor& monitor, const StopRequest& stop);
  // The facts of OUT's manifest: counts, and what each step did (of several processes rank 0 alone
  // has these; the others return null).
  OrderedJson run(Monitor& monitor, const StopRequest& stop);

 private:
  struct Step {
    int64_t number = 0;
    ArtefactInput start = {};      // M(t-1)
    ArtefactInput reference = {};  // the same, but for a reference of its own in step 1
    std::string key = {};
    std::filesystem::path out = {}, run = {};
    std::vector<size_t> chunk = {};
    std::string name() const { return "step-" + std::to_string(number); }
  };
  void check_contamination(std::vector<text::Preference>& rows, const PairCheck& contaminated);
  Workload workload() const;
  std::vector<std::vector<size_t>> planned_chunks() const;
  std::vector<std::vector<size_t>> chunks_of_data() const;
  int64_t optimiser_steps(size_t pairs) const;
  bool needs_start_scores() const;
  void score_start(const model::Decoder& model, Monitor& monitor, const StopRequest& stop);
  OrderedJson ease_of(const std::vector<size_t>& chunk) const;
  std::filesystem::path reference_folder(const Step& step) const;
  void write_samples(const Step& step, const std::vector<EncodedPreference>& before,
                     const std::vector<EncodedPreference>& after) const;
  void choose_continuation();
  bool finished(const Step& step) const;
  std::filesystem::path reference_dir() const;
  std::vector<EncodedPreference> chunk_pairs(const std::vector<size_t>& chunk) const;
  Step next_step(int64_t number, const ArtefactInput& previous,
                 const std::vector<size_t>& chunk) const;
  void take_step(const Step& step, model::Decoder& model, Monitor& monitor,
                 const StopRequest& stop);
  void write_step(const Step& step, const Trainer& trainer, const OrderedJson& facts) const;
  void finish(const OrderedJson& facts) const;

  bool leads() const { return !link_ || link_->leads(); }  // writes files, shows progress
  // Rank 0's text to all processes.
  std::string of_leader(const std::string& text) const;

  AlignOptions options_;
  std::unique_ptr<distributed::Communicator> link_ = {};  // to the other processes, in run()
  RunSetup setup_;
  checkpoint::DecoderConfig config_;
  std::map<std::string, int64_t> refused_;
  int64_t contaminated_ = 0;
  EncodedPreferences data_;
  std::string chat_template_;
  TokenId eos_ = -1;
  std::vector<PairScore> start_train_ = {}, start_heldout_ = {};  // under M0
};

}  // namespace helio::train
