// What a run will need, before it starts, and whether this machine has it.
#pragma once

#include <c10/core/ScalarType.h>

#include <filesystem>

#include "train/run_setup.h"
#include "train/workload.h"

namespace helio::train {

struct Estimate {
  int64_t parameters = 0, memory_bytes = 0;
  int64_t disk_bytes = 0;  // the checkpoints of the run and the model, at the most at one time
  double flops = 0, gemm_flops_per_second = 0, seconds = 0;
};

// Flops and memory as workload.h has them. Time: flops over what matrix products of this width
// reach on this machine right now (measured, about 0.3 s), and the share of it that whole steps
// reach.
Estimate estimate(const checkpoint::DecoderConfig& config, const Workload& work);

// FLOP/s of square products of this width on this machine, with the threads in use; takes 0.3 s.
double product_rate(int64_t width, at::ScalarType type = at::kFloat);

// Bytes of the copy that a checkpoint is written from while training goes on, beside peak_memory();
// it is done without where there is no room (checkpoint_writer.h). 0: no checkpoint before the end,
// or one put together from several processes' parts.
int64_t copy_memory(const checkpoint::DecoderConfig& config, const Workload& work);
// On disk at the most at one time: the checkpoints of the run and the model.
int64_t disk_needed(const checkpoint::DecoderConfig& config, const Workload& work);

// What may be used at most: of memory the machine's, or a control group's limit; of disk what is
// free where `dir` is or will be.
struct Room {
  int64_t memory = 0, disk = 0;
};
Room room_here(const std::filesystem::path& dir);

// Throws for a run that has no room: Error{memory} (exit code 6) with what would fit, or, without
// the disk for its checkpoints, Error{failed}.
void check_room(const checkpoint::DecoderConfig& config, const Workload& work, const Room& room);

// The resolved plan as --dry-run shows it. Throws as check_room.
OrderedJson plan_json(const RunSetup& setup, const checkpoint::DecoderConfig& config,
                      const Workload& work);

// parameters, layers, hidden_size, vocab_size, context.
void add_shape_facts(OrderedJson& facts, const checkpoint::DecoderConfig& config);

}  // namespace helio::train
