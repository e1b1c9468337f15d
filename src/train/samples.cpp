#include "train/samples.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <set>

#include "core/rng.h"
#include "model/kv_cache.h"
#include "model/sampler.h"

namespace helio::train {
namespace {

at::Tensor row_of(const std::vector<int64_t>& ids) {
  return at::tensor(ids, at::TensorOptions(at::kLong)).unsqueeze(0);
}

std::vector<TokenId> answer(const model::Decoder& model, const std::vector<TokenId>& prompt,
                            const SampleOptions& options, Rng& rng) {
  std::vector<TokenId> out;
  const int64_t longest = model.config().longest_sequence();
  int64_t room = options.tokens;
  if (longest > 0) room = std::min(room, longest - static_cast<int64_t>(prompt.size()));
  if (room <= 0) return out;
  model::KvCache cache(model.config(), 1, static_cast<int64_t>(prompt.size()) + room,
                       model.dtype());
  std::vector<int64_t> ids(prompt.begin(), prompt.end());
  while (static_cast<int64_t>(out.size()) < room) {
    const at::Tensor hidden = model.hidden(row_of(ids), cache);
    const at::Tensor logits = model.logits(hidden.select(1, hidden.size(1) - 1)).contiguous();
    if (!at::isfinite(logits).all().item<bool>()) break;  // a model that broke writes no more
    const TokenId token =
        model::sample({logits.const_data_ptr<float>(), static_cast<size_t>(logits.numel())},
                      {.temperature = 1}, rng);
    out.push_back(token);
    if (token == options.eos) break;
    ids.assign(1, token);
  }
  return out;
}

}  // namespace

std::vector<EncodedPreference> sample_answers(const model::Decoder& model,
                                              const std::vector<EncodedPreference>& pairs,
                                              const SampleOptions& options,
                                              const StopRequest& stop) {
  const c10::AutoGradMode no_grad(false);
  std::vector<EncodedPreference> out;
  std::set<std::vector<TokenId>> asked;
  for (const auto& pair : pairs) {
    if (static_cast<int64_t>(out.size()) >= options.count) break;
    if (!asked.insert(pair.prompt).second) continue;
    stop.check();
    Rng rng = Rng::stream(options.seed, "alignment samples", out.size());
    EncodedPreference sampled{.id = pair.id, .source = pair.source, .prompt = pair.prompt};
    sampled.chosen = answer(model, pair.prompt, options, rng);
    if (!sampled.chosen.empty()) out.push_back(std::move(sampled));
  }
  return out;
}

double sampled_kl(const std::vector<EncodedPreference>& answers,
                  const std::vector<PairScore>& policy, const std::vector<PairScore>& other) {
  double sum = 0, tokens = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    sum += policy[i].chosen - other[i].chosen;
    tokens += static_cast<double>(answers[i].chosen.size());
  }
  return tokens > 0 ? sum / tokens : 0;
}

double mean_length(const std::vector<EncodedPreference>& answers) {
  double tokens = 0;
  for (const auto& answer : answers) tokens += static_cast<double>(answer.chosen.size());
  return answers.empty() ? 0 : tokens / static_cast<double>(answers.size());
}

}  // namespace helio::train
