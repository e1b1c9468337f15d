// LoRA (Hu et al. 2021): of each target weight W only the product of two thin matrices is trained,
// W = W0 + (alpha / rank) B A. Names, initialisation and files are PEFT's.
//
// The decoder always holds W itself: its gradient dW gives those of A and B, s B^T dW and s dW A^T,
// so nothing in the model knows of adapters, and what is saved is merged. That costs a copy of the
// targets (W0) and their gradients, and saves the optimiser's state of everything.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "model/decoder.h"
#include "nn/tensor_io.h"

namespace helio::train {

class Lora {
 public:
  struct Options {
    int64_t rank = 8;
    double alpha = 16;
    std::vector<std::string> targets = {"*_proj.weight"};  // patterns of names (fnmatch)
    uint64_t seed = 0;
  };
  // All weights but the targets stop taking gradients. A is uniform in +-1 / sqrt(inputs), B is 0.
  // Error{invalid}: a pattern that matches no 2-D weight.
  Lora(const model::Decoder& model, Options options);

  // By PEFT's names: base_model.model.NAME.lora_A.weight, ...lora_B.weight.
  std::vector<model::Decoder::Named> parameters() const;
  // Gradients of A and B from the weights' own, which are dropped.
  void take_gradients();
  // Writes W0 + s B A into the model.
  void apply();
  // Reads A and B and applies them.
  void load(const checkpoint::SafeTensors& file);
  // adapter_model.safetensors and adapter_config.json for PEFT's PeftModel.from_pretrained.
  void save(const std::filesystem::path& dir) const;

 private:
  struct Adapter {
    std::string module = {};  // the weight's name without ".weight"
    at::Tensor weight = {}, base = {}, a = {}, b = {};
  };
  double scale() const { return options_.alpha / static_cast<double>(options_.rank); }
  std::vector<nn::NamedTensor> tensors() const;

  Options options_;
  std::vector<Adapter> adapters_ = {};
  std::vector<std::string> modules_ = {};  // as adapter_config.json names the targets
};

}  // namespace helio::train
