// How much work a training run is, and the memory it needs. Torch-free and in the header, so that
// a recipe's plan (jobs/estimate.h) and the run itself say the same without LibTorch.
#pragma once

#include <algorithm>
#include <cstdint>

#include "checkpoint/hf_config.h"
#include "train/options.h"

namespace helio::train {

struct Workload {
  int64_t steps = 0, tokens = 0;          // tokens the model reads in training
  int64_t sequence = 0;                   // typical length of a document or row
  int64_t step_rows = 0, micro_rows = 0;  // rows in a step and in a forward pass (0: all)
  int64_t forward_tokens = 0;             // read without a backward pass (reference scores)
  Optimisation train = {};                // what is kept for each weight and each token
  int64_t processes = 1;                  // that share the rows, and what train.shard says

  bool divides(const char* what) const { return processes > 1 && train.sharding.shard == what; }
  // Layers are run once more in the backward pass.
  bool recomputes() const { return train.recompute || divides("weights"); }
};

// Of one token forward: 2 per weight it meets in a product, and attention over half of `sequence`.
inline double forward_flops(const checkpoint::DecoderConfig& config, int64_t sequence) {
  const int64_t embedding = config.vocab_size * config.hidden_size;
  const int64_t products = config.active_parameters() - (config.tied_embeddings ? 0 : embedding);
  const int64_t attention = config.layers * config.heads * config.head_dim * sequence;
  return 2.0 * static_cast<double>(products) + 2.0 * static_cast<double>(attention);
}

// 6 per weight and token with a backward pass, 2 without (the embedding is a look-up, a tied head
// is not), 8 where layers are computed again, and attention's products.
inline double run_flops(const checkpoint::DecoderConfig& config, const Workload& work) {
  const double passes = work.recomputes() ? 4 : 3;
  return forward_flops(config, work.sequence) *
         (passes * static_cast<double>(work.tokens) + static_cast<double>(work.forward_tokens));
}

namespace memory {

inline constexpr int64_t kFloat = 4;
// The program with LibTorch, its threads and what the allocator holds back. Measured: a run of the
// smallest shape peaks there.
inline constexpr int64_t kProgram = int64_t(330) << 20;
inline constexpr int64_t kHeadChunk = 1024;  // rows of logits at a time (nn/linear_loss.h)
inline constexpr int64_t kHeldoutRows = 16;  // of a pass over held-out data

struct Weights {
  int64_t all = 0, matrices = 0, embedding = 0;  // counts; the embedding as the head, too
};

inline Weights weights_of(const checkpoint::DecoderConfig& c) {
  const int64_t embedding = c.vocab_size * c.hidden_size;
  const int64_t outer = (c.tied_embeddings ? 1 : 2) * embedding;
  return {.all = c.parameters(), .matrices = c.parameters() - outer, .embedding = embedding};
}

// Floats that a layer keeps of each token, and the most that exists for a moment while it runs
// backward.
struct PerToken {
  int64_t kept = 0, moment = 0;
};

inline PerToken per_token(const checkpoint::DecoderConfig& c) {
  const int64_t queries = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
  const int64_t ffn =
      c.experts.count > 0 ? c.experts.per_token * c.experts.width : c.intermediate_size;
  PerToken floats;
  // x and the middle; queries, keys and values; what attention gives and its scale; gate and up.
  floats.kept = 2 * c.hidden_size + 2 * queries + 2 * kv + c.heads + 2 * ffn;
  if (c.qk_norm != checkpoint::QkNorm::none) floats.kept += 2 * (queries + kv) + queries + 2 * kv;
  // The gated product again, its gradient, gate's and up's; the residual's two.
  floats.moment = 4 * ffn + 4 * c.hidden_size;
  return floats;
}

}  // namespace memory

// Bytes that the optimiser keeps between steps, the moving average among them.
inline int64_t optimiser_bytes(const checkpoint::DecoderConfig& c, const Optimisation& train) {
  const memory::Weights weights = memory::weights_of(c);
  const int64_t average = train.ema > 0 ? memory::kFloat * weights.all : 0;
  if (train.lora_rank > 0) return memory::kFloat * weights.matrices;  // the targets as they were
  if (train.optimizer == "adafactor") return average;                 // a number a row and a column
  // Two bytes, and their blocks of 256 a scale each.
  if (train.optimizer == "adamw8bit") return average + 2 * weights.all + weights.all / 32;
  if (train.optimizer == "muon")
    return average + memory::kFloat * weights.matrices +
           2 * memory::kFloat * (weights.all - weights.matrices);
  return average + 2 * memory::kFloat * weights.all;
}

// Bytes at the highest point of a step, in f32, of the process that keeps most: weights, their
// gradients, what the optimiser keeps of them, what the backward pass keeps of the tokens, and the
// program itself.
inline int64_t peak_memory(const checkpoint::DecoderConfig& c, const Workload& work) {
  using namespace memory;
  const Weights weights = weights_of(c);
  const int64_t even = (work.step_rows + work.processes - 1) / work.processes;
  const int64_t rows =
      std::max<int64_t>(1, work.micro_rows > 0 ? std::min(work.micro_rows, even) : even);
  const int64_t tokens = rows * work.sequence;
  const PerToken floats = per_token(c);
  const int64_t head = kFloat * weights.embedding;

  int64_t held = kFloat * weights.all, states = optimiser_bytes(c, work.train);
  int64_t gradients = kFloat * (work.train.lora_rank > 0 ? weights.matrices : weights.all);
  if (work.processes > 1 && !work.divides("none")) {
    // Whole weights have one owner: the largest is the least that somebody has.
    const int64_t share = std::max(weights.all / work.processes, weights.embedding);
    states = static_cast<int64_t>(static_cast<double>(states) * static_cast<double>(share) /
                                  static_cast<double>(weights.all));
    if (work.divides("weights")) {
      // What stands outside the layers is there for the whole step, and two layers.
      const int64_t guests = weights.all - weights.matrices + 2 * weights.matrices / c.layers;
      held = kFloat * (share + guests);
      gradients = kFloat * (share + guests);
    }
  }
  const int64_t kept =
      kFloat * tokens *
      (work.recomputes() ? c.layers * c.hidden_size + floats.kept : c.layers * floats.kept);
  const int64_t moment = kFloat * tokens * floats.moment;
  // The loss: logits of a chunk, the gradients of the head and of what goes into it. The logits
  // count twice: from the second step on, small lasting blocks stand in the heap where they were,
  // and they are put behind these (measured: what lives at once does not grow, the heap does, by
  // their size).
  const int64_t loss =
      kFloat * (2 * std::min(tokens, kHeadChunk) * c.vocab_size + 2 * tokens * c.hidden_size);
  // At the end of the forward pass, and of the backward pass (the embedding's gradient is dense).
  const bool several = even > rows;
  const int64_t turn = (several ? gradients : 0) + kept + loss + head;
  const int64_t end = gradients + (c.tied_embeddings ? 2 : 1) * head + moment +
                      kFloat * tokens * (c.hidden_size + floats.kept);
  const int64_t heldout = kFloat * kHeldoutRows * work.sequence * (3 * c.hidden_size + floats.kept);
  return kProgram + held + states + std::max({turn, end, heldout});
}

}  // namespace helio::train
