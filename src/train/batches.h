// What training reads: rows of token ids with their targets, step by step. Torch-free.
//
// The rows of a step are a pure function of the step's number, the data and the seed. That is what
// makes resuming exact: a run that goes on at step 41 reads what the undisturbed run read there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace helio::train {

using text::TokenId;

inline constexpr TokenId kNotLearned = -100;

// inputs[i] is followed by targets[i]. Several documents may stand in one row; each begins anew:
// positions from 0, and no attention to the ones before it.
struct Row {
  std::vector<TokenId> inputs = {};
  std::vector<TokenId> targets = {};  // as long as inputs; kNotLearned where nothing is learned
  std::vector<int64_t> starts = {0};  // where documents begin in inputs, ascending from 0
  // A row of one document only: where parts begin that all go on from what stands before the first
  // of them, without seeing each other (answers to one prompt).
  std::vector<int64_t> branches = {};
  // By document, of held-out rows: what its loss is also reported under ("by_language/ko"). Empty:
  // nothing.
  std::vector<std::vector<std::string>> groups = {};

  int64_t learned() const;  // targets that count
};

// Log-probabilities of both answers of a pair, summed over their ids.
struct PairScore {
  double chosen = 0, rejected = 0;
  double prompt = 0;  // of the prompt but its first id, where it was asked for
};

// What the branches of a pair's row are (-1: there is none), and the reference's scores of them.
// Mismatched: the same prompt with another example's answer, for KTO's estimate of KL.
struct PairBranches {
  int chosen = -1, rejected = -1, chosen_mismatched = -1, rejected_mismatched = -1;
  PairScore reference = {}, reference_mismatched = {};
};

// What goes through the model at once.
struct MicroBatch {
  std::vector<Row> rows = {};
  std::vector<PairBranches> pairs = {};  // of preference data: of each row
  // Over the whole optimiser step: mean tokens of a chosen answer, and of one with its prompt.
  double chosen_tokens = 1, whole_tokens = 1;
  // Other processes have the rest of what is to go through the model at once.
  bool divided = false;
};

class Batches {
 public:
  virtual ~Batches() = default;
  virtual int64_t steps() const = 0;  // of the whole run
  // The micro-batches of one optimiser step, from 1.
  virtual std::vector<MicroBatch> step(int64_t step) const = 0;
  // Passes over the data once this step is done.
  virtual double epoch(int64_t step) const = 0;
  // Names of what stands in the step's rows, for messages.
  virtual std::vector<std::string> documents(int64_t step) const = 0;
};

// Cuts rows into micro-batches of `size` rows (0: one).
std::vector<MicroBatch> in_micro_batches(std::vector<Row> rows, int64_t size);

// How many examples and passes a run over separate examples takes, and their order.
// Every pass has its own order, drawn from the seed; the last step of a pass may be smaller (as
// transformers' trainer without drop_last), so that each example is used once a pass.
class ExampleOrder {
 public:
  struct Options {
    int64_t examples = 0, batch_size = 1;
    int64_t steps = 0;  // 0: ceil(epochs * steps of a pass)
    double epochs = 1;
    uint64_t seed = 0;
  };
  explicit ExampleOrder(Options options);

  int64_t steps() const { return steps_; }
  int64_t steps_per_epoch() const { return per_epoch_; }
  double epoch(int64_t step) const;
  std::vector<int64_t> examples(int64_t step) const;  // indices of the step's examples
  // The same as a range of places in the pass's order.
  struct Range {
    int64_t pass = 0, begin = 0, end = 0;
  };
  Range range(int64_t step) const;

 private:
  Options options_;
  int64_t per_epoch_ = 0, steps_ = 0;
};

// Separate examples (conversations), each a row.
class ExampleBatches final : public Batches {
 public:
  struct Example {
    std::string id = {};
    Row row = {};
  };
  struct Options {
    ExampleOrder::Options order = {};  // examples is filled in
    int64_t micro_batch_size = 0;      // rows; 0: the whole batch
  };
  ExampleBatches(std::vector<Example> examples, Options options);

  int64_t steps() const override { return order_.steps(); }
  std::vector<MicroBatch> step(int64_t step) const override;
  double epoch(int64_t step) const override { return order_.epoch(step); }
  std::vector<std::string> documents(int64_t step) const override;

 private:
  std::vector<Example> examples_;
  ExampleOrder order_;
  int64_t micro_batch_size_;
};

}  // namespace helio::train
