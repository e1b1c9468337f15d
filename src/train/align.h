// helio align: preference optimisation in steps (sDPO, Kim et al. 2024; one step is plain DPO).
//
// The held-out pairs are set aside first, by a hash of their prompts. The rest is cut into T chunks
// by the start model M0's length-normalised margin (chunks.h). Step t starts from M(t-1), is
// measured against M(t-1), learns from chunk t with an optimiser and a schedule of its own, and
// writes M(t) to OUT/step-t; its metrics and checkpoints are in RUN/step-t. Only one model is in
// memory: reference log-probabilities are computed before a step begins and kept in RUN/reference.
#pragma once

#include "core/monitor.h"
#include "train/chunks.h"
#include "train/options.h"
#include "train/reference_scores.h"
#include "train/run_setup.h"
#include "train/trainer.h"

namespace helio::train {

class AlignRun {
 public:
  explicit AlignRun(AlignOptions options);

  OrderedJson plan() const;
  // The facts of OUT's manifest: counts, and what each step did.
  OrderedJson run(Monitor& monitor, const StopRequest& stop);

 private:
  struct Step;
  void choose_continuation();
  bool finished(const Step& step) const;
  std::vector<EncodedPreference> chunk_pairs(const std::vector<size_t>& chunk) const;
  Step next_step(int64_t number, const ArtefactInput& previous,
                 const std::vector<size_t>& chunk) const;
  OrderedJson take_step(const Step& step, model::Decoder& model, Monitor& monitor,
                        const StopRequest& stop);
  void write_step(const Step& step, const model::Decoder& model, const OrderedJson& facts) const;
  void finish(const OrderedJson& facts) const;

  AlignOptions options_;
  RunSetup setup_;
  checkpoint::DecoderConfig config_;
  std::map<std::string, int64_t> refused_;
  EncodedPreferences data_;
  std::vector<PairScore> start_train_ = {}, start_heldout_ = {};  // under M0
};

}  // namespace helio::train
