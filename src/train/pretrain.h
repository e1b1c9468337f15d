// helio pretrain: a decoder from scratch, or one that is continued, on packed token shards.
#pragma once

#include "core/monitor.h"
#include "train/options.h"
#include "train/run_setup.h"
#include "train/trainer.h"

namespace helio::train {

// Everything is checked before any training: inputs, shapes, vocabulary, output folder.
class PretrainRun {
 public:
  explicit PretrainRun(PretrainOptions options);

  // Hash of everything that decides the result (run_setup.h).
  const std::string& key() const { return setup_.key; }
  // What it would do: parameters, tokens, steps, memory and time, inputs, outputs.
  OrderedJson plan() const;
  // Trains, then writes the model to `out` and lots.json (targets by lot) to `run`.
  RunSummary run(Monitor& monitor, const StopRequest& stop);

 private:
  PretrainOptions options_;
  RunSetup setup_;
  std::filesystem::path tokenizer_dir_;
  checkpoint::DecoderConfig config_;
};

}  // namespace helio::train
