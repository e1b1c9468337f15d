// Several conversations in a row of the model's length. Torch-free.
//
// Where a conversation begins its positions restart and attention is cut, as in every packed row:
// losses and gradients are those of the same conversations apart. What changes is how much a step
// holds: batch_size rows of about `length` tokens, whatever the conversations' own lengths.
#pragma once

#include <memory>

#include "train/batches.h"

namespace helio::train {

enum class Packing {
  none,      // a conversation is a row
  best_fit,  // whole conversations, each in the fullest row that has room for it, longest first
  stream,    // end to end, cut where a row is full; what is cut off goes on in the next row with
             // positions from 0 and without what stood before
};
Packing parse_packing(const std::string& name);

// Every conversation is in a pass exactly once, whole or (stream) in pieces that follow each other.
class PackedBatches final : public Batches {
 public:
  struct Options {
    Packing packing = Packing::best_fit;
    int64_t length = 512;              // of a row, in inputs; no example is longer
    ExampleOrder::Options order = {};  // batch_size in rows; examples is filled in
    int64_t micro_batch_size = 0;      // rows; 0: the whole batch
  };
  PackedBatches(std::vector<ExampleBatches::Example> examples, Options options);
  ~PackedBatches() override;

  int64_t steps() const override { return order_->steps(); }
  std::vector<MicroBatch> step(int64_t step) const override;
  double epoch(int64_t step) const override { return order_->epoch(step); }
  std::vector<std::string> documents(int64_t step) const override;

  int64_t rows() const { return rows_; }  // of a pass
  double fill() const;                    // share of their room that holds tokens

 private:
  // Inputs [from, to) of an example.
  struct Piece {
    size_t example = 0, from = 0, to = 0;
  };
  struct Pass;
  std::vector<std::vector<Piece>> pieces(int64_t step) const;  // by row
  const Pass& pass(int64_t index) const;

  std::vector<ExampleBatches::Example> examples_;
  Options options_;
  int64_t tokens_ = 0, rows_ = 0;
  std::vector<std::vector<size_t>> bins_ = {};  // of best_fit: the examples of a row
  std::unique_ptr<ExampleOrder> order_;         // of rows
  mutable std::unique_ptr<Pass> pass_;          // of stream: the order last used; a cache only
};

// The batches of conversations as asked; `length` counts for packed ones only.
std::unique_ptr<Batches> conversation_batches(std::vector<ExampleBatches::Example> examples,
                                              PackedBatches::Options options);

}  // namespace helio::train
