// Direct preference optimisation: raise chosen over rejected, measured against a frozen reference.
// Rafailov et al. 2023, equation 7. Rows come in pairs: chosen, rejected, chosen, ...
// R rows, P pairs, N positions of all rows together, H hidden.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include "core/error.h"
#include "nn/linear_loss.h"
#include "train/objective.h"

namespace helio::train {
namespace {

at::Tensor column(std::vector<double> values) {
  return at::from_blob(values.data(), {static_cast<int64_t>(values.size())},
                       at::TensorOptions(at::kDouble))
      .to(at::kFloat);
}

class Dpo final : public Objective {
 public:
  explicit Dpo(const DpoOptions& options) : options_(options) {
    const bool smooths = options_.loss == "sigmoid" || options_.loss == "robust";
    HELIO_CHECK(smooths || options_.loss == "ipo" || options_.loss == "hinge",
                "no objective '" + options_.loss + "'");
    if (options_.label_smoothing > 0 && !smooths)
      throw Error(ErrorKind::invalid,
                  "label_smoothing has no meaning for the objective '" + options_.loss + "'")
          .with_hint("leave it at 0, or use sigmoid or robust");
    if (options_.beta <= 0 || (options_.loss == "robust" && options_.label_smoothing >= 0.5))
      throw Error(ErrorKind::invalid,
                  "beta must be above 0, and label_smoothing below 0.5 for robust");
  }

  double weight(const MicroBatch& batch) const override {
    return static_cast<double>(batch.rows.size() / 2);
  }

  Loss loss(const model::Decoder& model, const MicroBatch& batch) const override {
    const PackedRows packed = pack(batch.rows);
    const at::Tensor hidden_NH = model.hidden(packed.batch).squeeze(0);
    const at::Tensor logp_N = nn::linear_log_probs(hidden_NH, model.head(), packed.targets_N);
    std::vector<at::Tensor> sums;
    for (const at::Tensor& part : logp_N.split_with_sizes(packed.lengths))
      sums.push_back(part.sum());
    const at::Tensor logp_R = at::stack(sums);
    const at::Tensor ratio_P2 = (logp_R - column(batch.reference)).view({-1, 2});

    Loss loss{.sum = losses(ratio_P2, batch).sum(), .weight = weight(batch)};
    const c10::AutoGradMode no_grad(false);
    const at::Tensor reward_P2 = ratio_P2.detach() * options_.beta;
    const at::Tensor chosen_P = reward_P2.select(1, 0), rejected_P = reward_P2.select(1, 1);
    const auto term = [&](const char* name, const at::Tensor& values) {
      loss.terms.push_back({name, values.sum(at::kDouble).item<double>(), loss.weight});
    };
    term("rewards/chosen", chosen_P);
    term("rewards/rejected", rejected_P);
    term("rewards/accuracies", (chosen_P > rejected_P).to(at::kFloat));
    term("rewards/margins", chosen_P - rejected_P);
    const at::Tensor logp_P2 = logp_R.detach().view({-1, 2});
    term("logps/chosen", logp_P2.select(1, 0));
    term("logps/rejected", logp_P2.select(1, 1));
    add_mean_logits(model, hidden_NH.detach(), packed, loss);
    return loss;
  }

 private:
  at::Tensor losses(const at::Tensor& ratio_P2, const MicroBatch& batch) const {
    const double beta = options_.beta, smoothing = options_.label_smoothing;
    if (options_.loss == "ipo") {
      std::vector<double> lengths;
      for (const Row& row : batch.rows) lengths.push_back(static_cast<double>(row.learned()));
      const at::Tensor mean_P2 = ratio_P2 / column(lengths).view({-1, 2});
      return (mean_P2.select(1, 0) - mean_P2.select(1, 1) - 1 / (2 * beta)).square();
    }
    const at::Tensor margin_P = (ratio_P2.select(1, 0) - ratio_P2.select(1, 1)) * beta;
    if (options_.loss == "hinge") return at::relu(1 - margin_P);
    if (options_.loss == "robust")
      return (at::log_sigmoid(margin_P) * (smoothing - 1) +
              at::log_sigmoid(-margin_P) * smoothing) /
             (1 - 2 * smoothing);
    if (smoothing == 0) return -at::log_sigmoid(margin_P);
    return at::log_sigmoid(margin_P) * (smoothing - 1) - at::log_sigmoid(-margin_P) * smoothing;
  }

  // The mean over the vocabulary of hidden @ head^T is hidden @ (mean row of head): no logits
  // needed, unless they are capped.
  static at::Tensor mean_logits(const model::Decoder& model, const at::Tensor& hidden_NH) {
    if (model.config().logit_softcap == 0) {
      const at::Tensor mean_row_H = model.head_weight().detach().mean(0, false, at::kFloat);
      return hidden_NH.to(at::kFloat).mv(mean_row_H);
    }
    const c10::AutoGradMode no_grad(false);
    std::vector<at::Tensor> parts;
    for (const at::Tensor& rows : hidden_NH.split(256))
      parts.push_back(model.logits(rows).mean(-1));
    return at::cat(parts);
  }

  static void add_mean_logits(const model::Decoder& model, const at::Tensor& hidden_NH,
                              const PackedRows& packed, Loss& loss) {
    const at::Tensor counted_N = packed.targets_N.ne(kNotLearned).to(at::kFloat);
    const auto values =
        (mean_logits(model, hidden_NH) * counted_N).split_with_sizes(packed.lengths);
    const auto counts = counted_N.split_with_sizes(packed.lengths);
    Term chosen{.name = "logits/chosen"}, rejected{.name = "logits/rejected"};
    for (size_t i = 0; i < values.size(); ++i) {
      Term& term = i % 2 == 0 ? chosen : rejected;
      term.sum += values[i].sum().item<double>();
      term.weight += counts[i].sum().item<double>();
    }
    loss.terms.push_back(chosen);
    loss.terms.push_back(rejected);
  }

  DpoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> dpo(const DpoOptions& options) { return std::make_unique<Dpo>(options); }

}  // namespace helio::train
