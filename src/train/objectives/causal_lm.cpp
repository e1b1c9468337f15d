// Next-token cross entropy, for pre-training and supervised fine-tuning alike: which targets count
// is the batch's business.
#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "nn/linear_loss.h"
#include "train/objective.h"

namespace helio::train {
namespace {

bool has_groups(const MicroBatch& batch) {
  return std::any_of(batch.rows.begin(), batch.rows.end(),
                     [](const Row& row) { return !row.groups.empty(); });
}

// The losses of documents, under the names of their groups. Rows stand end to end.
std::vector<Term> terms_of_groups(const std::vector<Row>& rows, const at::Tensor& logp_N) {
  std::vector<Term> terms;
  int64_t base = 0;
  for (const Row& row : rows) {
    const auto length = static_cast<int64_t>(row.inputs.size());
    for (size_t d = 0; d < row.groups.size(); ++d) {
      const int64_t first = row.starts[d],
                    last = d + 1 < row.starts.size() ? row.starts[d + 1] : length;
      const auto ignored =
          std::count(row.targets.begin() + first, row.targets.begin() + last, kNotLearned);
      const double sum = -logp_N.slice(0, base + first, base + last).sum().item<double>();
      for (const std::string& group : row.groups[d])
        add_terms(terms, {{.name = "loss_" + group,
                           .sum = sum,
                           .weight = static_cast<double>(last - first - ignored)}});
    }
    base += length;
  }
  return terms;
}

class CausalLm final : public Objective {
 public:
  explicit CausalLm(double z_weight) : z_weight_(z_weight) {}

  double weight(const MicroBatch& batch) const override {
    int64_t learned = 0;
    for (const Row& row : batch.rows) learned += row.learned();
    return static_cast<double>(learned);
  }

  Loss loss(const model::Decoder& model, const MicroBatch& batch) const override {
    const PackedRows packed = pack(batch.rows);
    if (!c10::GradMode::is_enabled() && has_groups(batch)) {
      const at::Tensor logp_N = nn::linear_log_probs(model.hidden(packed.batch).squeeze(0),
                                                     model.head(), packed.targets_N)
                                    .to(at::kDouble);
      return {.sum = logp_N.sum().neg().to(at::kFloat),
              .weight = weight(batch),
              .terms = terms_of_groups(batch.rows, logp_N)};
    }
    const at::Tensor hidden_NH = model.hidden(packed.batch).squeeze(0);
    if (z_weight_ == 0 || !c10::GradMode::is_enabled())
      return {.sum = nn::linear_cross_entropy_sum(hidden_NH, model.head(), packed.targets_N),
              .weight = weight(batch)};
    const auto loss =
        nn::linear_cross_entropy_with_z(hidden_NH, model.head(), packed.targets_N, z_weight_);
    return {.sum = loss.sum,
            .weight = weight(batch),
            .terms = {{.name = "z_loss", .sum = loss.z, .weight = weight(batch)}}};
  }

 private:
  double z_weight_;
};

}  // namespace

std::unique_ptr<Objective> causal_lm(double z_weight) {
  return std::make_unique<CausalLm>(z_weight);
}

}  // namespace helio::train
