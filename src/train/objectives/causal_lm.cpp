// Next-token cross entropy, for pre-training and supervised fine-tuning alike: which targets count
// is the batch's business.
#include "nn/linear_loss.h"
#include "train/objective.h"

namespace helio::train {
namespace {

class CausalLm final : public Objective {
 public:
  double weight(const MicroBatch& batch) const override {
    int64_t learned = 0;
    for (const Row& row : batch.rows) learned += row.learned();
    return static_cast<double>(learned);
  }

  Loss loss(const model::Decoder& model, const MicroBatch& batch) const override {
    const PackedRows packed = pack(batch.rows);
    return {.sum = nn::linear_cross_entropy_sum(model.hidden(packed.batch).squeeze(0), model.head(),
                                                packed.targets_N),
            .weight = weight(batch)};
  }
};

}  // namespace

std::unique_ptr<Objective> causal_lm() { return std::make_unique<CausalLm>(); }

}  // namespace helio::train
