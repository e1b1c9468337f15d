#include "train/weight_average.h"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <utility>

#include "core/fs.h"

namespace helio::train {

WeightAverage::WeightAverage(const model::Decoder& model, double decay)
    : model_(model), decay_(decay) {
  for (const auto& weight : model_.parameters())
    averages_.push_back(weight.tensor.detach().clone());
}

void WeightAverage::follow() {
  const c10::AutoGradMode no_grad(false);
  for (size_t i = 0; i < averages_.size(); ++i)
    averages_[i].lerp_(model_.parameters()[i].tensor, 1 - decay_);
}

std::vector<nn::NamedTensor> WeightAverage::state() const {
  std::vector<nn::NamedTensor> tensors;
  for (size_t i = 0; i < averages_.size(); ++i)
    tensors.push_back({"ema." + model_.parameters()[i].name, averages_[i]});
  return tensors;
}

void WeightAverage::load(const checkpoint::SafeTensors& file) {
  for (const auto& [name, tensor] : state()) nn::read_tensor_into(file, file.at(name), tensor);
}

void WeightAverage::save(const std::filesystem::path& dir) const {
  const c10::AutoGradMode no_grad(false);
  make_dirs(dir);
  // The decoder writes itself: its weights give way for that time.
  const auto exchange = [&] {
    for (size_t i = 0; i < averages_.size(); ++i) {
      at::Tensor weight = model_.parameters()[i].tensor, average = averages_[i];
      const at::Tensor kept = weight.clone();
      weight.copy_(average);
      average.copy_(kept);
    }
  };
  exchange();
  try {
    model_.save(dir);
  } catch (...) {
    exchange();
    throw;
  }
  exchange();
}

}  // namespace helio::train
