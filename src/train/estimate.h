// What a run will need, before it starts, and whether this machine has it.
#pragma once

#include <c10/core/ScalarType.h>

#include <filesystem>

#include "checkpoint/hf_config.h"
#include "train/options.h"
#include "train/run_setup.h"

namespace helio::train {

struct Workload {
  int64_t steps = 0, tokens = 0;          // tokens the model reads in training
  int64_t sequence = 0;                   // typical length of a document or row
  int64_t step_rows = 0, micro_rows = 0;  // rows in a step and in a forward pass (0: all)
  int64_t forward_tokens = 0;             // read without a backward pass (reference scores)
  Optimisation train = {};                // what is kept for each weight and each token
};

struct Estimate {
  int64_t parameters = 0, memory_bytes = 0;
  int64_t disk_bytes = 0;  // the checkpoints of the run and the model, at the most at one time
  double flops = 0, gemm_flops_per_second = 0, seconds = 0;
};

// flops: 6 per weight and token with a backward pass, 2 without (the embedding is a look-up, a tied
// head is not), and attention's products. Time: flops over what matrix products of this width reach
// on this machine right now (measured, about 0.3 s), and the share of it that whole steps reach.
// Memory: see peak_memory.
Estimate estimate(const checkpoint::DecoderConfig& config, const Workload& work);

// Of one token forward: 2 per weight it meets in a product, and attention over half of `sequence`.
double forward_flops(const checkpoint::DecoderConfig& config, int64_t sequence);
// FLOP/s of square products of this width on this machine, with the threads in use; takes 0.3 s.
double product_rate(int64_t width, at::ScalarType type = at::kFloat);

// Bytes at the highest point of a step, in f32: weights, their gradients, what the optimiser keeps
// of them, what the backward pass keeps of the tokens, and the program itself.
int64_t peak_memory(const checkpoint::DecoderConfig& config, const Workload& work);
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
