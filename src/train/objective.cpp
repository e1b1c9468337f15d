#include "train/objective.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>

#include "nn/linear_loss.h"

namespace helio::train {
namespace {

at::Tensor as_tensor(std::vector<int64_t>& values, std::vector<int64_t> shape) {
  return at::from_blob(values.data(), shape, at::TensorOptions(at::kLong)).clone();
}

}  // namespace

PackedRows pack(const std::vector<Row>& rows) {
  static_assert(kNotLearned == nn::kIgnoreTarget);
  PackedRows packed;
  std::vector<int64_t> ids, positions, targets, starts;
  for (const Row& row : rows) {
    const auto base = static_cast<int64_t>(ids.size());
    for (const int64_t start : row.starts) starts.push_back(base + start);
    ids.insert(ids.end(), row.inputs.begin(), row.inputs.end());
    targets.insert(targets.end(), row.targets.begin(), row.targets.end());
    packed.lengths.push_back(static_cast<int64_t>(row.inputs.size()));
  }
  positions.resize(ids.size());
  for (size_t d = 0; d < starts.size(); ++d) {
    const int64_t end = d + 1 < starts.size() ? starts[d + 1] : static_cast<int64_t>(ids.size());
    for (int64_t i = starts[d]; i < end; ++i) positions[static_cast<size_t>(i)] = i - starts[d];
  }
  const auto count = static_cast<int64_t>(ids.size());
  packed.batch.ids_BT = as_tensor(ids, {1, count});
  packed.batch.positions_BT = as_tensor(positions, {1, count});
  packed.batch.starts = {std::move(starts)};
  packed.targets_N = as_tensor(targets, {count});
  return packed;
}

std::vector<PairScore> score_pairs(const model::Decoder& model,
                                   const std::vector<EncodedPreference>& pairs,
                                   int64_t batch_tokens,
                                   const std::function<void(int64_t)>& progress) {
  const c10::AutoGradMode no_grad(false);
  std::vector<PairScore> scores;
  for (size_t next = 0; next < pairs.size();) {
    std::vector<Row> rows;
    int64_t tokens = 0;
    while (next < pairs.size() && (rows.empty() || tokens < batch_tokens)) {
      for (const Side side : {Side::chosen, Side::rejected}) {
        rows.push_back(answer_row(pairs[next], side));
        tokens += static_cast<int64_t>(rows.back().inputs.size());
      }
      ++next;
    }
    const PackedRows packed = pack(rows);
    const at::Tensor logp_N =
        nn::linear_log_probs(model.hidden(packed.batch).squeeze(0), model.head(), packed.targets_N)
            .to(at::kDouble);
    const auto parts = logp_N.split_with_sizes(packed.lengths);
    for (size_t i = 0; i < parts.size(); i += 2)
      scores.push_back(
          {.chosen = parts[i].sum().item<double>(), .rejected = parts[i + 1].sum().item<double>()});
    progress(static_cast<int64_t>(next));
  }
  return scores;
}

}  // namespace helio::train
