// Checkpoints a run can go on from: RUN/checkpoints/step-N/ with the weights (model.safetensors),
// the optimiser's moments (optimizer.safetensors) and state.json. Torch-free.
//
// A checkpoint appears whole or not at all, carries the hash of each file, and belongs to one key:
// the hash of everything that decides what the run computes (see run_key). The last few are kept.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/json.h"
#include "core/monitor.h"
#include "train/options.h"

namespace helio::train {

class Checkpoints {
 public:
  struct Found {
    int64_t step = 0;
    std::filesystem::path dir = {};
    Json state = {};
  };

  Checkpoints(std::filesystem::path run_dir, std::string key);

  // The newest sound checkpoint of this key. Others are passed over, each with a note.
  std::optional<Found> latest(Monitor& monitor) const;
  // What to go on from, as asked: with unfinished work of this key and neither resume nor restart,
  // an error that shows `command` with each. `restart` clears.
  std::optional<Found> choose(const Continuation& asked, const std::string& command,
                              Monitor& monitor);
  // How many are kept: 2 unless said otherwise here.
  void keep(int64_t count) { kept_ = static_cast<size_t>(count); }
  // `write` puts the tensor files into the folder it is given.
  void save(int64_t step, const OrderedJson& state,
            const std::function<void(const std::filesystem::path& dir)>& write);
  void clear();

 private:
  struct Entry {
    int64_t step = 0;
    std::filesystem::path dir = {};
  };
  std::vector<Entry> entries() const;  // newest first

  std::filesystem::path dir_;
  std::string key_;
  size_t kept_ = 2;
};

}  // namespace helio::train
