// What a trainer is made of, as its options ask.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/decoder.h"
#include "train/lora.h"
#include "train/optimizer.h"
#include "train/options.h"
#include "train/schedule.h"
#include "train/weight_average.h"

namespace helio::train {

Schedule schedule_of(const Optimisation& train, int64_t steps);

Optimizer::Options optimizer_options(const Optimisation& train);

// Null without train.lora_rank. Error{usage} beside frozen weights.
std::unique_ptr<Lora> make_lora(const model::Decoder& model, const Optimisation& train);

// All weights but those whose names match a pattern (fnmatch's * ? [...]); these keep no gradient.
// Error{invalid}: a pattern that matches none, or nothing left to train.
std::vector<model::Decoder::Named> trained_weights(const model::Decoder& model,
                                                   const std::vector<std::string>& frozen);

// Null without train.ema. Error{usage} beside LoRA.
std::unique_ptr<WeightAverage> make_average(const model::Decoder& model, const Optimisation& train);

}  // namespace helio::train
