// Token shards as packed training rows. Torch-free.
//
// The documents of a pass, in an order drawn from the seed, form one stream in which every document
// begins with the `eos` that ended the one before it: "eos d1 ... eos d2 ... eos". As an input that
// eos belongs to the document it begins (as GPT-2's <|endoftext|> does), so each token of a
// document, its own eos included, is a target exactly once, its first token too.
//
// A row holds `sequence` targets of the stream and their inputs: sequence + 1 ids. Positions
// restart and attention is cut at every document. A document that does not fit goes on in the next
// row with positions from 0 and without the context before the cut.
//
// The tail: passes follow each other in the stream, so no token is skipped or repeated to fill a
// row. A run with `epochs` ends at exactly epochs * tokens targets: its last row, and its last
// step, may be shorter. A run with `steps` takes exactly steps * batch_size * sequence targets.
#pragma once

#include <memory>

#include "text/token_shards.h"
#include "train/batches.h"

namespace helio::train {

class TokenBatches final : public Batches {
 public:
  struct Options {
    int64_t sequence = 512, batch_size = 8;
    int64_t micro_batch_size = 0;  // rows; 0: the whole batch
    int64_t steps = 0;             // 0: as many as `epochs` takes
    double epochs = 1;
    int64_t targets = 0;  // end after so many targets; 0: no such limit
    uint64_t seed = 0;
    // Documents of the rows name their groups: by_language/X where there are several languages,
    // by_lot/X where there are 2 to 16 lots.
    bool with_groups = false;
  };
  TokenBatches(const text::TokenShards& shards, Options options);
  ~TokenBatches() override;

  int64_t steps() const override { return steps_; }
  std::vector<MicroBatch> step(int64_t step) const override;
  double epoch(int64_t step) const override;
  // "LOT #n": the n-th document of the split, from 0.
  std::vector<std::string> documents(int64_t step) const override;

  int64_t targets() const { return targets_; }  // of the whole run
  // Targets of the first `steps` steps by lot, in the order of shards.lots(); sums to their
  // targets.
  std::vector<int64_t> targets_by_lot(int64_t steps) const;

 private:
  struct Pass;
  struct Span;
  const Pass& pass(int64_t index) const;
  std::vector<Span> spans(int64_t begin, int64_t end) const;
  int64_t end_of(int64_t step) const;
  Row row(int64_t begin, int64_t end) const;
  void name_groups();

  const text::TokenShards& shards_;
  Options options_;
  int64_t steps_ = 0, targets_ = 0;
  std::vector<std::vector<std::string>> groups_ = {};  // by lot; empty without them
  mutable std::unique_ptr<Pass> pass_;                 // the order last used; a cache only
};

}  // namespace helio::train
