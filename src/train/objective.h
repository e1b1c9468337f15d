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
#include "train/distributed/communicator.h"
#include "train/journal.h"
#include "train/objectives/pair_loss.h"
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
  // Does a row's loss depend on the other rows that go through the model at once? Then processes
  // take whole micro-batches, or, of a step's only one, tell each other what they need.
  virtual bool compares_rows() const { return false; }
  // In place of loss(), by a process that has no rows of a divided micro-batch.
  virtual void without_rows() const {}
};

// Cross entropy of the next token, f32; weight: learned targets (transformers' num_items_in_batch).
// z_weight: of PaLM's regulariser (nn/linear_loss.h), in the sum while training, and by itself as
// the term z_loss; held-out losses are without it. Terms loss_GROUP for rows that name groups.
std::unique_ptr<Objective> causal_lm(double z_weight = 0);

// A preference loss (objectives/pair_loss.h) over pairs' log-probabilities. Weight: pairs; answers
// for losses of single answers. Terms, by TRL's names: rewards/{chosen,rejected,margins,accuracies}
// (a tie counts as wrong), logps/{chosen,rejected}, logits/{chosen,rejected} (mean over the
// answers' positions of the mean logit), and where they mean something kl and nll_loss.
// `link`: to the run's other processes, which have the rest of divided micro-batches; or null. The
// log-probabilities of all their pairs then make each process's loss, and its own pairs' part of
// the derivatives goes into its graph: the gradients add up to that of the whole batch.
std::unique_ptr<Objective> preference_objective(LossFormula formula,
                                                distributed::Communicator* link = nullptr);

// All rows end to end as one packed row: no padding, attention stays inside each document.
struct PackedRows {
  model::PackedBatch batch = {};
  at::Tensor targets_N = {};
  std::vector<int64_t> lengths = {};  // of each row
  // By row: where its branches lie among the targets. What stands before them is computed once, or,
  // for models whose tokens stand otherwise in a longer row, once for each (`apart`).
  struct Place {
    int64_t begin = 0, end = 0;
  };
  std::vector<std::vector<Place>> branches = {};
};
enum class SharedPrompt { together, apart };
PackedRows pack(const std::vector<Row>& rows, SharedPrompt prompt = SharedPrompt::together);
// Whether this model's rows with branches may be packed together.
SharedPrompt shared_prompt(const model::Decoder& model, const std::vector<Row>& rows);

// The rows' prompts (what stands before the branches) as targets too.
void learn_prompts(std::vector<Row>& rows);
// What stands before the first branch of a row, among the packed targets.
PackedRows::Place prompt_place(const PackedRows& packed, const Row& row, size_t index);

enum class Prompts { context, scored };
// Log-probabilities of the answers of all pairs, in order; no gradients. About `batch_tokens`
// tokens go through the model at once. `progress` is called with the pairs done.
std::vector<PairScore> score_pairs(const model::Decoder& model,
                                   const std::vector<EncodedPreference>& pairs,
                                   int64_t batch_tokens,
                                   const std::function<void(int64_t)>& progress,
                                   Prompts prompts = Prompts::context);

}  // namespace helio::train
