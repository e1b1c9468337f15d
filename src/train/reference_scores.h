// Reference log-probabilities: computed once for a model and a set of pairs, and kept in a file
// named by the content hashes of both, so that runs with another beta, rate or seed find them.
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
  ReferenceScores(std::filesystem::path dir, Monitor& monitor, const StopRequest& stop)
      : dir_(std::move(dir)), monitor_(monitor), stop_(stop) {}

  // Scores of `pairs` under `model`, whose content hash is `content`; `name` is shown while they
  // are computed. First line of the file: {"model", "pairs", "count"}; then {"id", "chosen",
  // "rejected"} a pair. Error{invalid}: a file that holds what its name does not say.
  std::vector<PairScore> get(const std::string& name, const model::Decoder& model,
                             const std::string& content,
                             const std::vector<EncodedPreference>& pairs);

 private:
  std::filesystem::path dir_;
  Monitor& monitor_;
  const StopRequest& stop_;
};

}  // namespace helio::train
