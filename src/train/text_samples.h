// What a model writes when it goes on from fixed beginnings, told at each checkpoint of a run.
#pragma once

#include <vector>

#include "core/metrics.h"
#include "model/decoder.h"
#include "text/token_shards.h"
#include "text/tokenizer.h"
#include "train/batches.h"
#include "train/options.h"
#include "train/preferences.h"

namespace helio::train {

class TextSamples {
 public:
  // `prompts` by their ids, which the tokenizer turns into text; it outlives this. `eos`: ends a
  // text.
  TextSamples(std::vector<EncodedPreference> prompts, const text::Tokenizer& tokenizer,
              const Sampling& options, TokenId eos);
  // A text for each prompt, drawn from the whole distribution with a seed of its own: the same
  // weights write the same.
  std::vector<TextSample> of(const model::Decoder& model) const;

 private:
  std::vector<EncodedPreference> prompts_;
  const text::Tokenizer& tokenizer_;
  Sampling options_;
  TokenId eos_;
};

// The first ids of the first documents.
std::vector<EncodedPreference> beginnings(const text::TokenShards& shards, int64_t count);
// What stands before the first learned id of the first conversations.
std::vector<EncodedPreference> beginnings(const std::vector<ExampleBatches::Example>& examples,
                                          int64_t count);

}  // namespace helio::train
