#include "train/trainer_parts.h"

#include <fnmatch.h>

#include "core/error.h"

namespace helio::train {

Schedule schedule_of(const Optimisation& train, int64_t steps) {
  return Schedule({.shape = train.schedule,
                   .peak = train.lr,
                   .min_ratio = train.min_lr_ratio,
                   .warmup_ratio = train.warmup_ratio,
                   .decay_ratio = train.decay_ratio,
                   .steps = steps});
}

std::unique_ptr<Lora> make_lora(const model::Decoder& model, const Optimisation& train) {
  if (train.lora_rank == 0) return nullptr;
  if (!train.freeze.empty())
    throw Error(ErrorKind::usage, "freeze has no meaning with LoRA: all weights stay as they are")
        .with_hint("choose what is adapted by lora_targets");
  return std::make_unique<Lora>(model, Lora::Options{.rank = train.lora_rank,
                                                     .alpha = train.lora_alpha,
                                                     .targets = train.lora_targets,
                                                     .seed = static_cast<uint64_t>(train.seed)});
}

std::vector<model::Decoder::Named> trained_weights(const model::Decoder& model,
                                                   const std::vector<std::string>& frozen) {
  std::vector<model::Decoder::Named> trained;
  std::vector<bool> used(frozen.size());
  for (const auto& weight : model.parameters()) {
    bool stays = true;
    for (size_t i = 0; i < frozen.size(); ++i)
      if (fnmatch(frozen[i].c_str(), weight.name.c_str(), 0) == 0) {
        used[i] = true;
        stays = false;
      }
    weight.tensor.set_requires_grad(stays);
    if (stays) trained.push_back(weight);
  }
  for (size_t i = 0; i < frozen.size(); ++i)
    if (!used[i])
      throw Error(ErrorKind::invalid, "no weight is named like '" + frozen[i] + "'")
          .with_hint("names are like " + model.parameters().back().name);
  if (trained.empty())
    throw Error(ErrorKind::invalid, "every weight is frozen: there is nothing to train");
  return trained;
}

std::unique_ptr<WeightAverage> make_average(const model::Decoder& model,
                                            const Optimisation& train) {
  if (train.ema == 0) return nullptr;
  if (train.lora_rank != 0)
    throw Error(ErrorKind::usage, "ema averages all weights: it has no meaning with LoRA")
        .with_hint("leave out train.ema or train.lora_rank");
  return std::make_unique<WeightAverage>(model, train.ema);
}

Optimizer::Options optimizer_options(const Optimisation& train) {
  return {.beta1 = train.beta1,
          .beta2 = train.beta2,
          .eps = train.eps,
          .weight_decay = train.weight_decay,
          .kind = train.optimizer,
          .momentum = train.muon_momentum,
          .muon_scale = train.muon_scale == "original" ? MuonScale::original : MuonScale::as_adamw};
}

}  // namespace helio::train
