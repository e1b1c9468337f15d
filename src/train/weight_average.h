// An exponential moving average of a model's weights, which often does better than the last ones.
#pragma once

#include <filesystem>
#include <vector>

#include "checkpoint/safetensors.h"
#include "model/decoder.h"
#include "nn/tensor_io.h"

namespace helio::train {

class WeightAverage {
 public:
  // Begins with the weights as they are; after each step average = decay * average + (1 - decay) *
  // weight.
  WeightAverage(const model::Decoder& model, double decay);

  void follow();
  // What a checkpoint keeps, as ema.NAME; and back.
  std::vector<nn::NamedTensor> state() const;
  void load(const checkpoint::SafeTensors& file);
  // The model with the averages as its weights, in the Hugging Face layout; the folder is made.
  void save(const std::filesystem::path& dir) const;

 private:
  const model::Decoder& model_;
  double decay_;
  std::vector<at::Tensor> averages_ = {};  // in the parameters' order
};

}  // namespace helio::train
