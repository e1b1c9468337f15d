// Preference losses over a model: pairs through the decoder, their answers' log-probabilities into
// a formula (pair_loss.h), its derivatives back into the graph. Rows are pairs (pair_row).
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "core/error.h"
#include "nn/linear_loss.h"
#include "train/distributed/bytes.h"
#include "train/objective.h"

namespace helio::train {
namespace {

class Preferences final : public Objective {
 public:
  Preferences(LossFormula formula, distributed::Communicator* link)
      : formula_(std::move(formula)), link_(link) {}

  bool compares_rows() const override {
    return formula_.any(&PairLoss::compares) || formula_.any(&PairLoss::needs_kl);
  }
  void without_rows() const override { exchange({}, {}); }

  double weight(const MicroBatch& batch) const override {
    double count = 0;
    for (const PairBranches& pair : batch.pairs)
      count += formula_.unpaired() ? (pair.chosen >= 0 ? 1 : 0) + (pair.rejected >= 0 ? 1 : 0) : 1;
    return count;
  }

  Loss loss(const model::Decoder& model, const MicroBatch& batch) const override {
    const bool whole = formula_.any(&PairLoss::needs_prompt);
    auto rows = batch.rows;
    if (whole) learn_prompts(rows);
    const PackedRows packed = pack(rows, shared_prompt(model, rows));
    const at::Tensor hidden_NH = model.hidden(packed.batch).squeeze(0);
    const at::Tensor logp_N = nn::linear_log_probs(hidden_NH, model.head(), packed.targets_N);

    auto [sums, ratios] =
        sums_of(logp_N.detach(), packed, batch, whole ? Prompts::scored : Prompts::context);
    sums.kl = ratios.estimate();
    const auto gradients = batch.divided ? compute_together(sums, ratios) : formula_.compute(sums);
    Loss loss{.weight = weight(batch)};
    double value = 0;
    for (const PairGradient& pair : gradients) value += pair.loss;
    // The formula's derivatives as the graph's: its value is that of `value`.
    const at::Tensor slope = logp_N.dot(slopes(gradients, packed, batch));
    loss.sum = slope - slope.detach() + value;
    add_terms_of(sums, loss);
    add_mean_logits(model, hidden_NH.detach(), packed, batch, loss);
    return loss;
  }

 private:
  using Place = PackedRows::Place;

  static const Place* place_of(const PackedRows& packed, size_t row, int branch) {
    return branch < 0 ? nullptr : &packed.branches[row][static_cast<size_t>(branch)];
  }
  // Every process's pairs and ratios, by rank.
  struct Others {
    std::vector<std::vector<PairSums>> pairs = {};
    RatioSum ratios = {};
  };
  Others exchange(const std::vector<PairSums>& pairs, const RatioSum& ratios) const {
    HELIO_CHECK(link_, "other processes, where a batch is divided");
    Others all;
    for (const std::string& text : link_->gather(distributed::bytes_of(pairs)))
      all.pairs.push_back(distributed::values_of<PairSums>(text));
    for (const std::string& text : link_->gather(distributed::bytes_of<RatioSum>({ratios})))
      for (const RatioSum& part : distributed::values_of<RatioSum>(text)) {
        all.ratios.sum += part.sum;
        all.ratios.count += part.count;
      }
    return all;
  }
  // The derivatives, by this process's log-probabilities, of the loss of all processes' pairs;
  // `own` gets the estimate of KL that all have in common.
  std::vector<PairGradient> compute_together(PairBatch& own, const RatioSum& ratios) const {
    const Others all = exchange(own.pairs, ratios);
    own.kl = all.ratios.estimate();
    PairBatch batch = own;
    batch.pairs.clear();
    size_t first = 0;
    for (size_t rank = 0; rank < all.pairs.size(); ++rank) {
      if (static_cast<int64_t>(rank) == link_->rank()) first = batch.pairs.size();
      batch.pairs.insert(batch.pairs.end(), all.pairs[rank].begin(), all.pairs[rank].end());
    }
    const auto gradients = formula_.compute(batch);
    const auto begin = gradients.begin() + static_cast<ptrdiff_t>(first);
    return {begin, begin + static_cast<ptrdiff_t>(own.pairs.size())};
  }

  static std::pair<PairBatch, RatioSum> sums_of(const at::Tensor& logp_N, const PackedRows& packed,
                                                const MicroBatch& batch, Prompts prompts) {
    PairBatch out{.chosen_tokens = batch.chosen_tokens, .whole_tokens = batch.whole_tokens};
    const at::Tensor values = logp_N.contiguous();
    const float* logp = values.const_data_ptr<float>();
    const auto sum = [&](const Place* place) {
      double total = 0;
      if (place != nullptr)
        for (int64_t i = place->begin; i < place->end; ++i) total += static_cast<double>(logp[i]);
      return total;
    };
    const auto size = [](const Place* place) { return place ? place->end - place->begin : 0; };
    RatioSum ratios;
    for (size_t i = 0; i < batch.pairs.size(); ++i) {
      const PairBranches& pair = batch.pairs[i];
      const Place *chosen = place_of(packed, i, pair.chosen),
                  *rejected = place_of(packed, i, pair.rejected);
      PairSums sums{.chosen = sum(chosen),
                    .rejected = sum(rejected),
                    .reference_chosen = pair.reference.chosen,
                    .reference_rejected = pair.reference.rejected,
                    .chosen_tokens = size(chosen),
                    .rejected_tokens = size(rejected),
                    .has_chosen = chosen != nullptr,
                    .has_rejected = rejected != nullptr};
      if (prompts == Prompts::scored) {
        const Place prompt = prompt_place(packed, batch.rows[i], i);
        sums.prompt = sum(&prompt);
        sums.prompt_tokens = size(&prompt);
      }
      out.pairs.push_back(sums);
      const auto estimate = [&](int branch, double reference) {
        if (branch < 0) return;
        ratios.sum += sum(place_of(packed, i, branch)) - reference;
        ++ratios.count;
      };
      estimate(pair.chosen_mismatched, pair.reference_mismatched.chosen);
      estimate(pair.rejected_mismatched, pair.reference_mismatched.rejected);
    }
    return {std::move(out), ratios};
  }

  // By position: the loss's derivative by the log-probability there.
  static at::Tensor slopes(const std::vector<PairGradient>& gradients, const PackedRows& packed,
                           const MicroBatch& batch) {
    std::vector<float> out(static_cast<size_t>(packed.targets_N.size(0)), 0.0F);
    const auto fill = [&](const Place* place, double slope) {
      if (place != nullptr)
        std::fill(out.begin() + place->begin, out.begin() + place->end, static_cast<float>(slope));
    };
    for (size_t i = 0; i < gradients.size(); ++i) {
      fill(place_of(packed, i, batch.pairs[i].chosen), gradients[i].chosen);
      fill(place_of(packed, i, batch.pairs[i].rejected), gradients[i].rejected);
      if (gradients[i].prompt == 0) continue;
      const Place prompt = prompt_place(packed, batch.rows[i], i);
      fill(&prompt, gradients[i].prompt);
    }
    return at::from_blob(out.data(), {static_cast<int64_t>(out.size())},
                         at::TensorOptions(at::kFloat))
        .clone();
  }

  void add_terms_of(const PairBatch& batch, Loss& loss) const {
    Term chosen{.name = "rewards/chosen"}, rejected{.name = "rewards/rejected"},
        accuracy{.name = "rewards/accuracies"}, margin{.name = "rewards/margins"},
        logp_chosen{.name = "logps/chosen"}, logp_rejected{.name = "logps/rejected"};
    const bool whole = formula_.any(&PairLoss::needs_prompt);
    double nll = 0;
    for (const PairSums& pair : batch.pairs) {
      const auto shown = [&](double sum, int64_t tokens) {
        return formula_.reward() == RewardOf::mean
                   ? sum / static_cast<double>(std::max<int64_t>(1, tokens))
                   : sum;
      };
      const auto add = [](Term& term, double value) {
        term.sum += value;
        ++term.weight;
      };
      const double c = reward_of(formula_, pair.chosen, pair.reference_chosen, pair.chosen_tokens);
      const double r =
          reward_of(formula_, pair.rejected, pair.reference_rejected, pair.rejected_tokens);
      if (pair.has_chosen) {
        add(chosen, c);
        add(logp_chosen, shown(pair.chosen, pair.chosen_tokens));
        nll -= (pair.chosen + pair.prompt) / (whole ? batch.whole_tokens : batch.chosen_tokens);
      }
      if (pair.has_rejected) {
        add(rejected, r);
        add(logp_rejected, shown(pair.rejected, pair.rejected_tokens));
      }
      if (pair.has_chosen && pair.has_rejected) {
        add(accuracy, c > r ? 1 : 0);
        add(margin, c - r);
      }
    }
    for (const Term& term : {chosen, rejected, accuracy, margin, logp_chosen, logp_rejected})
      if (term.weight > 0) loss.terms.push_back(term);
    if (formula_.any(&PairLoss::needs_kl)) loss.terms.push_back({"kl", batch.kl, 1});
    loss.terms.push_back({"nll_loss", nll, chosen.weight});
  }

  // The mean over the vocabulary of hidden @ head^T is hidden @ (mean row of head): no logits
  // needed, unless they are capped.
  static at::Tensor mean_logits(const model::Decoder& model, const at::Tensor& hidden_NH) {
    const c10::AutoGradMode no_grad(false);
    if (model.config().logit_softcap == 0) {
      const at::Tensor mean_row_H = model.head_weight().detach().mean(0, false, at::kFloat);
      return hidden_NH.to(at::kFloat).mv(mean_row_H);
    }
    std::vector<at::Tensor> parts;
    for (const at::Tensor& rows : hidden_NH.split(256))
      parts.push_back(model.logits(rows).mean(-1));
    return at::cat(parts);
  }

  static void add_mean_logits(const model::Decoder& model, const at::Tensor& hidden_NH,
                              const PackedRows& packed, const MicroBatch& batch, Loss& loss) {
    const at::Tensor mean_N = mean_logits(model, hidden_NH).contiguous();
    const float* values = mean_N.const_data_ptr<float>();
    Term chosen{.name = "logits/chosen"}, rejected{.name = "logits/rejected"};
    const auto add = [&](Term& term, const Place* place) {
      if (place == nullptr) return;
      for (int64_t i = place->begin; i < place->end; ++i)
        term.sum += static_cast<double>(values[i]);
      term.weight += static_cast<double>(place->end - place->begin);
    };
    for (size_t i = 0; i < batch.pairs.size(); ++i) {
      add(chosen, place_of(packed, i, batch.pairs[i].chosen));
      add(rejected, place_of(packed, i, batch.pairs[i].rejected));
    }
    for (const Term& term : {chosen, rejected})
      if (term.weight > 0) loss.terms.push_back(term);
  }

  LossFormula formula_;
  distributed::Communicator* link_;
};

}  // namespace

std::unique_ptr<Objective> preference_objective(LossFormula formula,
                                                distributed::Communicator* link) {
  return std::make_unique<Preferences>(std::move(formula), link);
}

}  // namespace helio::train
