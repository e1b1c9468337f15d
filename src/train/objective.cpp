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

PackedRows pack(const std::vector<Row>& rows, SharedPrompt prompt) {
  static_assert(kNotLearned == nn::kIgnoreTarget);
  PackedRows packed;
  std::vector<int64_t> ids, positions, targets, starts;
  const auto end = [&] { return static_cast<int64_t>(ids.size()); };
  // inputs [from, to) of a row, at positions that begin with `position`.
  const auto add = [&](const Row& row, int64_t from, int64_t to, int64_t position) {
    for (int64_t i = from; i < to; ++i) {
      ids.push_back(row.inputs[static_cast<size_t>(i)]);
      targets.push_back(row.targets[static_cast<size_t>(i)]);
      positions.push_back(position + i - from);
    }
  };
  bool branched = false;
  for (const Row& row : rows) {
    const auto length = static_cast<int64_t>(row.inputs.size());
    const int64_t base = end();
    packed.branches.emplace_back();
    if (row.branches.empty()) {
      for (size_t d = 0; d < row.starts.size(); ++d) {
        starts.push_back(base + row.starts[d]);
        packed.batch.branches.emplace_back();
        add(row, row.starts[d], d + 1 < row.starts.size() ? row.starts[d + 1] : length, 0);
      }
    } else {
      const int64_t shared = row.branches.front();
      for (size_t b = 0; b < row.branches.size(); ++b) {
        if (b == 0 || prompt == SharedPrompt::apart) {
          starts.push_back(end());
          packed.batch.branches.emplace_back();
          add(row, 0, shared, 0);
        }
        const int64_t begin = end();
        packed.batch.branches.back().push_back(begin - starts.back());
        add(row, row.branches[b], b + 1 < row.branches.size() ? row.branches[b + 1] : length,
            shared);
        packed.branches.back().push_back({begin, end()});
        branched = branched || packed.batch.branches.back().size() > 1;
      }
    }
    packed.lengths.push_back(end() - base);
  }
  if (!branched) packed.batch.branches.clear();
  const int64_t count = end();
  packed.batch.ids_BT = as_tensor(ids, {1, count});
  packed.batch.positions_BT = as_tensor(positions, {1, count});
  packed.batch.starts = {std::move(starts)};
  packed.targets_N = as_tensor(targets, {count});
  return packed;
}

SharedPrompt shared_prompt(const model::Decoder& model, const std::vector<Row>& rows) {
  for (const Row& row : rows)
    if (row.branches.size() > 1 && !model.alike(1, static_cast<int64_t>(row.inputs.size())))
      return SharedPrompt::apart;
  return SharedPrompt::together;
}

void learn_prompts(std::vector<Row>& rows) {
  for (Row& row : rows)
    for (int64_t i = 0; i < row.branches.front(); ++i)
      row.targets[static_cast<size_t>(i)] = row.inputs[static_cast<size_t>(i) + 1];
}

PackedRows::Place prompt_place(const PackedRows& packed, const Row& row, size_t index) {
  const int64_t end = packed.branches[index].front().begin;
  return {.begin = end - row.branches.front(), .end = end};
}

std::vector<PairScore> score_pairs(const model::Decoder& model,
                                   const std::vector<EncodedPreference>& pairs,
                                   int64_t batch_tokens,
                                   const std::function<void(int64_t)>& progress, Prompts prompts) {
  const c10::AutoGradMode no_grad(false);
  std::vector<PairScore> scores;
  for (size_t next = 0; next < pairs.size();) {
    std::vector<Row> rows;
    int64_t tokens = 0;
    while (next < pairs.size() && (rows.empty() || tokens < batch_tokens)) {
      rows.push_back(pair_row(pairs[next]).row);
      tokens += static_cast<int64_t>(rows.back().inputs.size());
      ++next;
    }
    if (prompts == Prompts::scored) learn_prompts(rows);
    const PackedRows packed = pack(rows, shared_prompt(model, rows));
    const at::Tensor logp_N =
        nn::linear_log_probs(model.hidden(packed.batch).squeeze(0), model.head(), packed.targets_N)
            .to(at::kDouble);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto branches = pair_row(pairs[scores.size()]).branches;
      const auto total = [&](const PackedRows::Place& place) {
        return logp_N.slice(0, place.begin, place.end).sum().item<double>();
      };
      const auto sum = [&](int branch) {
        return branch < 0 ? 0.0 : total(packed.branches[i][static_cast<size_t>(branch)]);
      };
      scores.push_back({.chosen = sum(branches.chosen), .rejected = sum(branches.rejected)});
      if (prompts == Prompts::scored)
        scores.back().prompt = total(prompt_place(packed, rows[i], i));
    }
    progress(static_cast<int64_t>(next));
  }
  return scores;
}

}  // namespace helio::train
