#include "train/text_samples.h"

#include <algorithm>

#include "train/samples.h"

namespace helio::train {

TextSamples::TextSamples(std::vector<EncodedPreference> prompts, const text::Tokenizer& tokenizer,
                         const Sampling& options, TokenId eos)
    : prompts_(std::move(prompts)), tokenizer_(tokenizer), options_(options), eos_(eos) {}

std::vector<TextSample> TextSamples::of(const model::Decoder& model) const {
  const StopRequest never;  // a stop saves first: the samples of its checkpoint belong to it
  const auto written = sample_answers(
      model, prompts_, {.count = options_.samples, .tokens = options_.sample_tokens, .eos = eos_},
      never);
  std::vector<TextSample> samples;
  for (const EncodedPreference& one : written)
    samples.push_back({.prompt = tokenizer_.decode(one.prompt, text::SpecialTokens::add),
                       .text = tokenizer_.decode(one.chosen)});
  return samples;
}

std::vector<EncodedPreference> beginnings(const text::TokenShards& shards, int64_t count) {
  constexpr uint64_t kIds = 16;
  std::vector<EncodedPreference> prompts;
  for (int64_t i = 0; i < shards.documents() && static_cast<int64_t>(prompts.size()) < count; ++i) {
    const auto& document = shards.document(i);
    // At least half of a short document is left to write.
    const uint64_t length = std::min(kIds, (document.end - document.begin) / 2);
    if (length == 0) continue;
    EncodedPreference prompt{.id = std::to_string(i)};
    prompt.prompt.resize(length);
    shards.read(document, 0, prompt.prompt);
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

std::vector<EncodedPreference> beginnings(const std::vector<ExampleBatches::Example>& examples,
                                          int64_t count) {
  std::vector<EncodedPreference> prompts;
  for (const auto& [id, row] : examples) {
    if (static_cast<int64_t>(prompts.size()) >= count) break;
    const auto learned = std::find_if(row.targets.begin(), row.targets.end(),
                                      [](auto target) { return target != kNotLearned; });
    if (learned == row.targets.end()) continue;
    EncodedPreference prompt{.id = id};
    prompt.prompt.assign(row.inputs.begin(),
                         row.inputs.begin() + (learned - row.targets.begin()) + 1);
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

}  // namespace helio::train
