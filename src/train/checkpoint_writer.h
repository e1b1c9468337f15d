// Checkpoints written while training goes on: what one holds is copied at once, and hashed, written
// and synced by a thread of its own.
#pragma once

#include <cstdint>
#include <future>
#include <vector>

#include "core/json.h"
#include "nn/tensor_io.h"
#include "train/checkpoints.h"

namespace helio::train {

class CheckpointWriter {
 public:
  // `checkpoints` outlives the writer, and nobody else saves into it.
  explicit CheckpointWriter(Checkpoints& checkpoints) : checkpoints_(checkpoints) {}
  // Waits for a checkpoint that is being written.
  ~CheckpointWriter() = default;
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  struct Content {
    std::vector<nn::NamedTensor> weights = {}, optimizer = {};
    int64_t bytes() const;
  };
  enum class Way {
    beside,   // the content is copied, the caller goes on
    at_once,  // written when save() returns
  };
  // Is there memory for a copy of so much, beside what this process has taken at its highest? A
  // copy's memory is kept for the next one.
  Way way_for(const Content& content) const;
  // The checkpoint before is finished first. Throws what went wrong with it, or with this one.
  void save(int64_t step, const OrderedJson& state, const Content& content, Way way);
  // Throws what went wrong with a checkpoint; returns at once while one is being written.
  void check();
  // Until nothing is being written; throws as check().
  void wait();

 private:
  void write(int64_t step, const OrderedJson& state, const Content& content);
  void copy(const std::vector<nn::NamedTensor>& from, std::vector<nn::NamedTensor>& to);

  Checkpoints& checkpoints_;
  Content copy_ = {};
  std::future<void> writing_ = {};  // last: its end is waited for before the copy goes
};

// Bytes that this process can take beyond its highest point so far: what the machine, or its
// control group, has free.
int64_t memory_to_spare();

}  // namespace helio::train
