// Reference log-probabilities: computed once for a model and a set of pairs, kept in
// RUN/reference/NAME.jsonl and used again when both are the same (by content hash).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "model/decoder.h"
#include "train/preferences.h"

namespace helio::train {

class ReferenceScores {
 public:
  ReferenceScores(std::filesystem::path run_dir, Monitor& monitor, const StopRequest& stop)
      : dir_(std::move(run_dir) / "reference"), monitor_(monitor), stop_(stop) {}

  // Scores of `pairs` under `model`, whose content hash is `content`. First line of the file:
  // {"model", "pairs", "count"}; then {"id", "chosen", "rejected"} a pair.
  std::vector<PairScore> get(const std::string& name, const model::Decoder& model,
                             const std::string& content,
                             const std::vector<EncodedPreference>& pairs);

 private:
  std::filesystem::path dir_;
  Monitor& monitor_;
  const StopRequest& stop_;
};

}  // namespace helio::train
