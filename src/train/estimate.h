// What a run will need, before it starts.
#pragma once

#include "checkpoint/hf_config.h"
#include "train/run_setup.h"

namespace helio::train {

struct Workload {
  int64_t steps = 0, tokens = 0;          // tokens the model reads in training
  int64_t sequence = 0;                   // typical length of a document or row
  int64_t step_rows = 0, micro_rows = 0;  // rows in a step and in a forward pass (0: all)
  int64_t forward_tokens = 0;             // read without a backward pass (reference scores)
};

struct Estimate {
  int64_t parameters = 0, memory_bytes = 0;
  double flops = 0, gemm_flops_per_second = 0, seconds = 0;
};

// flops: 6 per weight and token with a backward pass, 2 without (the embedding is a look-up, a tied
// head is not), and attention's products. Time: flops over what matrix products of this width reach
// on this machine right now (measured, about 0.3 s), and the share of it that whole steps reach.
// Memory: weights, gradients and both moments in f32, and what the backward pass keeps.
Estimate estimate(const checkpoint::DecoderConfig& config, const Workload& work);

// The resolved plan as --dry-run shows it.
OrderedJson plan_json(const RunSetup& setup, const checkpoint::DecoderConfig& config,
                      const Workload& work);

// parameters, layers, hidden_size, vocab_size, context.
void add_shape_facts(OrderedJson& facts, const checkpoint::DecoderConfig& config);

}  // namespace helio::train
