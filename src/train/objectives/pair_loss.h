// Preference losses as arithmetic on log-probabilities: a batch of pairs in, each pair's loss and
// its derivatives out. Torch-free. One loss a file; names and definitions are TRL's (1.16).
//
// Symbols used beside the losses: c, r log-probabilities of the chosen and the rejected answer;
// c', r' the same under the reference; C = c - c', R = r - r', d = C - R; |c|, |r| answers' tokens;
// b beta, e label_smoothing; s(x) = 1 / (1 + exp(-x)).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "train/objectives/dual.h"

namespace helio::train {

// Sums of log-probabilities over one pair's answers. An example of unpaired data has one side.
struct PairSums {
  double chosen = 0, rejected = 0, reference_chosen = 0, reference_rejected = 0;
  int64_t chosen_tokens = 0, rejected_tokens = 0;
  double prompt = 0;  // of the chosen answer's prompt but its first token; only for needs_prompt
  int64_t prompt_tokens = 0;
  bool has_chosen = true, has_rejected = true;
};

// What a KL estimate is made of: log-ratios of mismatched answers, and how many.
struct RatioSum {
  double sum = 0, count = 0;
  double estimate() const { return count > 0 && sum > 0 ? sum / count : 0; }
};

struct PairBatch {
  std::vector<PairSums> pairs = {};
  // Over the whole optimiser step, so that parts of it add up: mean tokens of a chosen answer, and
  // of one with its prompt.
  double chosen_tokens = 1, whole_tokens = 1;
  double kl = 0;  // KTO's estimate, not below 0
};

struct PairGradient {
  double loss = 0, chosen = 0, rejected = 0, prompt = 0;  // derivatives by the log-probabilities
};

struct PairLossOptions {
  double beta = 0.1, label_smoothing = 0;
  // How log-ratios become scores: reverse_kl (as they are), forward_kl, js_divergence,
  // alpha_divergence.
  std::string f_divergence = "reverse_kl";
  double f_alpha = 0.5;                                 // of alpha_divergence
  double discopop_tau = 0.05;                           // temperature of DiscoPOP's blend
  double simpo_gamma = 0.5;                             // SimPO's target margin
  double cpo_alpha = 1;                                 // weight of CPO's SFT term
  double desirable_weight = 1, undesirable_weight = 1;  // KTO
};

// One pair as variables.
struct PairTerms {
  Dual c = {}, r = {}, C = {}, R = {};  // capital: log-ratios
  Dual score_c = {}, score_r = {};      // log-ratios as f_divergence takes them
  double tokens_c = 1, tokens_r = 1;
  Dual margin() const { return score_c - score_r; }
};
PairTerms terms_of(const PairSums& pair, const PairLossOptions& options);
PairGradient gradient_of(const Dual& loss);
// A loss of one pair at a time.
std::vector<PairGradient> for_each_pair(const PairBatch& batch, const PairLossOptions& options,
                                        const std::function<Dual(const PairTerms&)>& loss);
// -(1 - e) log s(x) - e log s(-x)
Dual smoothed(const Dual& x, double label_smoothing);

enum class RewardOf { ratio, answer, mean };  // b C, b c, b c / |c|
struct PairLoss {
  const char* name;
  std::vector<PairGradient> (*compute)(const PairBatch&, const PairLossOptions&);
  RewardOf reward = RewardOf::ratio;
  bool smooths = false;       // takes label_smoothing
  bool unpaired = false;      // takes examples with one answer, weighs answers instead of pairs
  bool needs_kl = false;      // an estimate of KL from mismatched answers
  bool needs_prompt = false;  // log-probabilities of the prompt
  bool compares = false;      // pairs are compared with the others that go through at once
};
const std::vector<PairLoss>& pair_losses();

// "sigmoid", "sigmoid+sft" (RPO with alpha 1), "0.8*sigmoid+0.2*bco_pair+sft" (MPO).
struct LossTerm {
  const PairLoss* loss = nullptr;
  double weight = 1;
};
class LossFormula {
 public:
  // Error{invalid}: a name that is none, options that have no meaning for the losses named.
  LossFormula(const std::string& text, PairLossOptions options);
  std::vector<PairGradient> compute(const PairBatch& batch) const;
  RewardOf reward() const { return terms_.front().loss->reward; }
  bool any(bool PairLoss::*property) const;
  bool unpaired() const;  // all terms take unpaired data
  const PairLossOptions& options() const { return options_; }

 private:
  std::vector<LossTerm> terms_ = {};
  PairLossOptions options_;
};
// b times what the loss calls a reward, for the metrics.
double reward_of(const LossFormula& formula, double policy, double reference, int64_t tokens);

#define HELIO_PAIR_LOSS(name) \
  std::vector<PairGradient> name##_loss(const PairBatch& batch, const PairLossOptions& o)
HELIO_PAIR_LOSS(sigmoid);
HELIO_PAIR_LOSS(hinge);
HELIO_PAIR_LOSS(ipo);
HELIO_PAIR_LOSS(exo_pair);
HELIO_PAIR_LOSS(nca_pair);
HELIO_PAIR_LOSS(robust);
HELIO_PAIR_LOSS(bco_pair);
HELIO_PAIR_LOSS(sppo_hard);
HELIO_PAIR_LOSS(aot);
HELIO_PAIR_LOSS(aot_unpaired);
HELIO_PAIR_LOSS(apo_zero);
HELIO_PAIR_LOSS(apo_down);
HELIO_PAIR_LOSS(discopop);
HELIO_PAIR_LOSS(sft);
HELIO_PAIR_LOSS(sigmoid_norm);
HELIO_PAIR_LOSS(kto);
HELIO_PAIR_LOSS(apo_zero_unpaired);
HELIO_PAIR_LOSS(cpo);
HELIO_PAIR_LOSS(simpo);
HELIO_PAIR_LOSS(orpo);

}  // namespace helio::train
