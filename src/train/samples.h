// Answers a model gives to prompts of the data, and how far it has moved from another by them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/monitor.h"
#include "model/decoder.h"
#include "train/preferences.h"

namespace helio::train {

struct SampleOptions {
  int64_t count = 4, tokens = 48;  // prompts (the first of the pairs with different ones), ids
  uint64_t seed = 0;
  TokenId eos = -1;  // ends an answer; -1: nothing does
};

// An answer for each prompt, drawn from the model's whole distribution (temperature 1), as examples
// with a chosen answer only.
std::vector<EncodedPreference> sample_answers(const model::Decoder& model,
                                              const std::vector<EncodedPreference>& pairs,
                                              const SampleOptions& options,
                                              const StopRequest& stop);

// KL(policy || other) in nats a token, estimated from the policy's own answers: the mean of
// log policy - log other over their tokens.
double sampled_kl(const std::vector<EncodedPreference>& answers,
                  const std::vector<PairScore>& policy, const std::vector<PairScore>& other);

// Mean length of the answers, in ids.
double mean_length(const std::vector<EncodedPreference>& answers);

}  // namespace helio::train
