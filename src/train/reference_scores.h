// Reference log-probabilities: computed once for a model and a set of pairs, and kept in a file
// named by the content hashes of both, so that runs with another beta, rate or seed find them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "model/decoder.h"
#include "train/distributed/communicator.h"
#include "train/preferences.h"

namespace helio::train {

class ReferenceScores {
 public:
  // `link` to the run's other processes may be null: they share the work, and rank 0 the file.
  ReferenceScores(std::filesystem::path dir, Monitor& monitor, const StopRequest& stop,
                  distributed::Communicator* link = nullptr)
      : dir_(std::move(dir)), monitor_(monitor), stop_(stop), link_(link) {}

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
  distributed::Communicator* link_;
};

}  // namespace helio::train
