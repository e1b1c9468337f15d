// What training minimises: a micro-batch in, a sum and its weight out.
//
// Keeping the two apart is what makes gradient accumulation exact: the trainer divides every sum by
// the weight of the whole step, so k micro-batches and one big batch give the same gradient however
// many targets each of them holds (a mean of means would not).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/decoder.h"
#include "train/batches.h"
#include "train/journal.h"
#include "train/preferences.h"

namespace helio::train {

struct Loss {
  at::Tensor sum = {};  // 0-dim, carries the graph
  double weight = 0;
  std::vector<Term> terms = {};
};

class Objective {
 public:
  virtual ~Objective() = default;
  // What the sum over this micro-batch is to be divided by (known before it runs).
  virtual double weight(const MicroBatch& batch) const = 0;
  virtual Loss loss(const model::Decoder& model, const MicroBatch& batch) const = 0;
};

// Cross entropy of the next token, f32; weight: learned targets (transformers' num_items_in_batch).
std::unique_ptr<Objective> causal_lm();

// Direct preference optimisation (Rafailov et al. 2023) with the definitions of TRL 1.16. With the
// log-ratios r = log-probability of an answer - the same under the reference, d = r_chosen -
// r_rejected:
//   sigmoid  -(1 - e) log sigmoid(beta d) - e log sigmoid(-beta d)     e: label_smoothing
//   robust   (-(1 - e) log sigmoid(beta d) + e log sigmoid(-beta d)) / (1 - 2 e)
//   ipo      (r_chosen / |chosen| - r_rejected / |rejected| - 1 / (2 beta))^2
//   hinge    max(0, 1 - beta d)
// Weight: pairs. Terms, by TRL's names: rewards/{chosen,rejected,margins,accuracies} (reward =
// beta r; a tie counts as wrong), logps/{chosen,rejected}, logits/{chosen,rejected} (mean over the
// answers' positions of the mean logit). TRL ignores label_smoothing for `sigmoid`; here it is
// conservative DPO (Mitchell 2023), as TRL computed it before.
struct DpoOptions {
  std::string loss = "sigmoid";
  double beta = 0.1, label_smoothing = 0;
};
std::unique_ptr<Objective> dpo(const DpoOptions& options);

// All rows end to end as one packed row: no padding, attention stays inside each document.
struct PackedRows {
  model::PackedBatch batch = {};
  at::Tensor targets_N = {};
  std::vector<int64_t> lengths = {};  // of each row
};
PackedRows pack(const std::vector<Row>& rows);

// Log-probabilities of the answers of all pairs, in order; no gradients. About `batch_tokens`
// tokens go through the model at once. `progress` is called with the pairs done.
std::vector<PairScore> score_pairs(const model::Decoder& model,
                                   const std::vector<EncodedPreference>& pairs,
                                   int64_t batch_tokens,
                                   const std::function<void(int64_t)>& progress);

}  // namespace helio::train
