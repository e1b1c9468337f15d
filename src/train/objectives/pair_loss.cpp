#include "train/objectives/pair_loss.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"

namespace helio::train {
namespace {

// The derivative of the divergence at the ratio, as TRL takes it.
Dual scored(const Dual& ratio, const PairLossOptions& o) {
  if (o.f_divergence == "forward_kl") return 1 - exp(-ratio);
  if (o.f_divergence == "js_divergence") return std::log(2.0) + log_sigmoid(ratio);
  const double slope = o.f_alpha - 1;
  if (o.f_divergence != "alpha_divergence" || std::abs(slope) < 1e-6) return ratio;
  constexpr double kLargest = 80;  // of the exponent
  const Dual exponent = slope * ratio;
  return (exp(exponent.value > kLargest ? exponent.with(kLargest, 0) : exponent) - 1) / slope;
}

[[noreturn]] void unknown_loss(const std::string& name) {
  std::string names;
  for (const PairLoss& loss : pair_losses())
    names += (names.empty() ? "" : ", ") + std::string(loss.name);
  throw Error(ErrorKind::usage, "no loss '" + name + "'")
      .with_hint("losses: " + names + "; several with weights: 0.8*sigmoid+0.2*bco_pair+sft");
}

LossTerm parse_term(std::string_view text) {
  LossTerm term;
  if (const size_t star = text.find('*'); star != text.npos) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + star, term.weight);
    if (problem != std::errc() || end != text.data() + star || !std::isfinite(term.weight))
      throw Error(ErrorKind::usage, "no weight of a loss: '" + std::string(text) + "'");
    text.remove_prefix(star + 1);
  }
  for (const PairLoss& loss : pair_losses())
    if (text == loss.name) term.loss = &loss;
  if (term.loss == nullptr) unknown_loss(std::string(text));
  return term;
}

}  // namespace

const std::vector<PairLoss>& pair_losses() {
  static const std::vector<PairLoss> all{
      {.name = "sigmoid", .compute = sigmoid_loss, .smooths = true},
      {.name = "hinge", .compute = hinge_loss},
      {.name = "ipo", .compute = ipo_loss},
      {.name = "exo_pair", .compute = exo_pair_loss, .smooths = true},
      {.name = "nca_pair", .compute = nca_pair_loss},
      {.name = "robust", .compute = robust_loss, .smooths = true},
      {.name = "bco_pair", .compute = bco_pair_loss},
      {.name = "sppo_hard", .compute = sppo_hard_loss},
      {.name = "aot", .compute = aot_loss, .smooths = true, .compares = true},
      {.name = "aot_unpaired", .compute = aot_unpaired_loss, .smooths = true, .compares = true},
      {.name = "apo_zero", .compute = apo_zero_loss},
      {.name = "apo_down", .compute = apo_down_loss},
      {.name = "discopop", .compute = discopop_loss},
      {.name = "sft", .compute = sft_loss},
      {.name = "sigmoid_norm", .compute = sigmoid_norm_loss},
      {.name = "kto", .compute = kto_loss, .unpaired = true, .needs_kl = true},
      {.name = "apo_zero_unpaired", .compute = apo_zero_unpaired_loss, .unpaired = true},
      {.name = "cpo", .compute = cpo_loss, .reward = RewardOf::answer, .smooths = true},
      {.name = "simpo", .compute = simpo_loss, .reward = RewardOf::mean, .smooths = true},
      {.name = "orpo", .compute = orpo_loss, .reward = RewardOf::mean, .needs_prompt = true},
  };
  return all;
}

PairTerms terms_of(const PairSums& pair, const PairLossOptions& options) {
  PairTerms t{.c = Dual(pair.chosen, 0), .r = Dual(pair.rejected, 1)};
  t.C = t.c - pair.reference_chosen;
  t.R = t.r - pair.reference_rejected;
  t.score_c = scored(t.C, options);
  t.score_r = scored(t.R, options);
  t.tokens_c = static_cast<double>(std::max<int64_t>(1, pair.chosen_tokens));
  t.tokens_r = static_cast<double>(std::max<int64_t>(1, pair.rejected_tokens));
  return t;
}

PairGradient gradient_of(const Dual& loss) {
  return {.loss = loss.value, .chosen = loss.by[0], .rejected = loss.by[1], .prompt = loss.by[2]};
}

std::vector<PairGradient> for_each_pair(const PairBatch& batch, const PairLossOptions& options,
                                        const std::function<Dual(const PairTerms&)>& loss) {
  std::vector<PairGradient> out;
  for (const PairSums& pair : batch.pairs)
    out.push_back(gradient_of(loss(terms_of(pair, options))));
  return out;
}

Dual smoothed(const Dual& x, double label_smoothing) {
  if (label_smoothing == 0) return -log_sigmoid(x);
  return (label_smoothing - 1) * log_sigmoid(x) - label_smoothing * log_sigmoid(-x);
}

LossFormula::LossFormula(const std::string& text, PairLossOptions options)
    : options_(std::move(options)) {
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('+', begin), text.size());
    terms_.push_back(parse_term(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  const auto named = [&](const char* name) {
    return std::any_of(terms_.begin(), terms_.end(),
                       [&](const LossTerm& t) { return t.loss->name == std::string_view(name); });
  };
  const double e = options_.label_smoothing;
  if (e > 0 && !any(&PairLoss::smooths))
    throw Error(ErrorKind::invalid,
                "label_smoothing has no meaning for the objective '" + text + "'")
        .with_hint("leave it at 0, or use sigmoid, robust, exo_pair, aot, cpo or simpo");
  if (options_.beta <= 0 || (named("robust") && e >= 0.5))
    throw Error(ErrorKind::invalid,
                "beta must be above 0, and label_smoothing below 0.5 for robust");
  if (named("exo_pair") && e <= 0)
    throw Error(ErrorKind::invalid, "exo_pair needs label_smoothing above 0")
        .with_hint("TRL's is 1e-3: --label-smoothing 0.001");
  const bool unpaired_terms = any(&PairLoss::unpaired);
  if (unpaired_terms && !unpaired())
    throw Error(ErrorKind::invalid, "'" + text + "' mixes losses of pairs and of single answers");
}

bool LossFormula::any(bool PairLoss::*property) const {
  return std::any_of(terms_.begin(), terms_.end(),
                     [&](const LossTerm& t) { return t.loss->*property; });
}

bool LossFormula::unpaired() const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [](const LossTerm& t) { return t.loss->unpaired; });
}

std::vector<PairGradient> LossFormula::compute(const PairBatch& batch) const {
  std::vector<PairGradient> sum(batch.pairs.size());
  for (const LossTerm& term : terms_) {
    const auto part = term.loss->compute(batch, options_);
    for (size_t i = 0; i < sum.size(); ++i) {
      sum[i].loss += term.weight * part[i].loss;
      sum[i].chosen += term.weight * part[i].chosen;
      sum[i].rejected += term.weight * part[i].rejected;
      sum[i].prompt += term.weight * part[i].prompt;
    }
  }
  return sum;
}

double reward_of(const LossFormula& formula, double policy, double reference, int64_t tokens) {
  const double beta = formula.options().beta;
  if (formula.reward() == RewardOf::ratio) return beta * (policy - reference);
  if (formula.reward() == RewardOf::answer) return beta * policy;
  return beta * policy / static_cast<double>(std::max<int64_t>(1, tokens));
}

}  // namespace helio::train
