#include "train/score.h"

#include <algorithm>

#include "core/error.h"
#include "model/decoder.h"
#include "nn/torch_error.h"
#include "train/align.h"
#include "train/objective.h"
#include "train/reference_scores.h"

namespace helio::train {
namespace {

constexpr int64_t kBatchTokens = 4096;

struct Scored {
  std::vector<PairScore> pairs = {}, mismatched = {};
};

Scored score_with(const std::string& model, const std::vector<EncodedPreference>& pairs,
                  const LossFormula& formula, const std::string& kept, Monitor& monitor,
                  const StopRequest& stop) {
  const auto decoder = model::Decoder::load(model);
  const auto prompts = formula.any(&PairLoss::needs_prompt) ? Prompts::scored : Prompts::context;
  const auto score = [&](const std::vector<EncodedPreference>& examples) {
    if (!kept.empty() && prompts == Prompts::context)
      return ReferenceScores(kept, monitor, stop)
          .get(model, decoder, describe_input("model", model).content, examples);
    monitor.begin("Scoring with " + model, static_cast<int64_t>(examples.size()), "pairs");
    auto scores = nn::with_torch_errors([] { return "scoring pairs"; },
                                        [&] {
                                          return score_pairs(
                                              decoder, examples, kBatchTokens,
                                              [&](int64_t done) {
                                                monitor.at(done);
                                                stop.check();
                                              },
                                              prompts);
                                        });
    monitor.end();
    return scores;
  };
  Scored scored{.pairs = score(pairs)};
  if (formula.any(&PairLoss::needs_kl)) scored.mismatched = score(mismatched_pairs(pairs));
  return scored;
}

// KTO's estimate over all answers to other prompts.
double kl_of(const std::vector<EncodedPreference>& others, const Scored& policy,
             const Scored& reference) {
  double sum = 0, count = 0;
  for (size_t i = 0; i < policy.mismatched.size(); ++i) {
    const PairScore &a = policy.mismatched[i], &b = reference.mismatched[i];
    sum += a.chosen - b.chosen + a.rejected - b.rejected;
    count += (others[i].chosen.empty() ? 0 : 1) + (others[i].rejected.empty() ? 0 : 1);
  }
  return count > 0 ? std::max(0.0, sum / count) : 0;
}

// [chosen, rejected], null where there is no such answer.
OrderedJson both(const EncodedPreference& pair, double chosen, double rejected) {
  const auto value = [](const std::vector<TokenId>& answer, double number) {
    return answer.empty() ? OrderedJson(nullptr) : OrderedJson(number);
  };
  return OrderedJson::array({value(pair.chosen, chosen), value(pair.rejected, rejected)});
}

}  // namespace

OrderedJson ScoreSummary::json() const {
  return {{"pairs", pairs},
          {"rewards/accuracies",
           of > 0 ? OrderedJson(static_cast<double>(correct) / static_cast<double>(of))
                  : OrderedJson(nullptr)},
          {"rewards/margins", margin},
          {"loss", loss},
          {"prompts_cut", prompts_cut},
          {"answers_cut", answers_cut},
          {"pairs_equal_after_cut", equal_after_cut},
          {"pairs_refused", refused}};
}

ScoreSummary score_preferences(const ScoreOptions& options, Monitor& monitor,
                               const StopRequest& stop,
                               const std::function<void(const OrderedJson&)>& row) {
  const LossFormula formula = loss_formula(options);
  const auto tokenizer = text::load_tokenizer(options.model);
  const auto config = checkpoint::load_decoder_config(options.model);
  check_vocabulary(tokenizer->vocab_size(), config.vocab_size, options.model);
  check_length(options.max_length, config.longest_sequence());
  const auto format = text::ChatFormat::load(options.model, *tokenizer, options.chat_template);
  const auto loaded = text::load_preferences(options.data, options.limit, options.dataset);
  if (loaded.unpaired > 0 && !formula.unpaired()) refuse_unpaired(loaded.unpaired, options.loss);
  const auto data =
      encode_preferences(loaded.rows, format, options.max_length, 0, plain_texts(options));
  const auto& pairs = data.train;

  const Scored policy =
      score_with(options.model, pairs, formula, options.references, monitor, stop);
  Scored reference{.pairs = std::vector<PairScore>(pairs.size()),
                   .mismatched = std::vector<PairScore>(policy.mismatched.size())};
  const bool referenced = !options.reference.empty();
  if (referenced)
    reference = score_with(options.reference, pairs, formula, options.references, monitor, stop);
  const double kl = kl_of(mismatched_pairs(pairs), policy, reference);

  ScoreSummary summary{.pairs = static_cast<int64_t>(pairs.size()),
                       .prompts_cut = data.prompts_cut,
                       .answers_cut = data.answers_cut,
                       .equal_after_cut = data.equal_after_cut,
                       .refused = loaded.refused};
  for (size_t i = 0; i < pairs.size(); ++i) {
    const EncodedPreference& pair = pairs[i];
    const PairScore &p = policy.pairs[i], &r = reference.pairs[i];
    const auto chosen_tokens = static_cast<int64_t>(pair.chosen.size());
    const auto rejected_tokens = static_cast<int64_t>(pair.rejected.size());
    const auto prompt_tokens = static_cast<int64_t>(pair.prompt.size()) - 1;
    PairBatch one{
        .pairs = {{.chosen = p.chosen,
                   .rejected = p.rejected,
                   .reference_chosen = r.chosen,
                   .reference_rejected = r.rejected,
                   .chosen_tokens = chosen_tokens,
                   .rejected_tokens = rejected_tokens,
                   .prompt = p.prompt,
                   .prompt_tokens = prompt_tokens,
                   .has_chosen = chosen_tokens > 0,
                   .has_rejected = rejected_tokens > 0}},
        .chosen_tokens = static_cast<double>(std::max<int64_t>(1, chosen_tokens)),
        .whole_tokens = static_cast<double>(std::max<int64_t>(1, prompt_tokens + chosen_tokens)),
        .kl = kl};
    const double loss = formula.compute(one).front().loss;
    const double chosen = reward_of(formula, p.chosen, r.chosen, chosen_tokens);
    const double rejected = reward_of(formula, p.rejected, r.rejected, rejected_tokens);
    const bool two = chosen_tokens > 0 && rejected_tokens > 0;
    OrderedJson line = {{"id", pair.id},
                        {"source", pair.source},
                        {"tokens", {chosen_tokens, rejected_tokens}},
                        {"log_probs", both(pair, p.chosen, p.rejected)}};
    if (referenced) line["reference_log_probs"] = both(pair, r.chosen, r.rejected);
    line["rewards"] = both(pair, chosen, rejected);
    line["margin"] = two ? OrderedJson(chosen - rejected) : OrderedJson(nullptr);
    line["loss"] = loss;
    row(line);
    summary.loss += loss / static_cast<double>(pairs.size());
    if (!two) continue;
    ++summary.of;
    summary.correct += chosen > rejected ? 1 : 0;
    summary.margin += chosen - rejected;
  }
  summary.margin /= std::max(1.0, static_cast<double>(summary.of));
  return summary;
}

}  // namespace helio::train
