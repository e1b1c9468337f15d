// A LoRA adapter in PEFT's layout on the weights it was trained on: each as merge_and_unload of
// PEFT 0.21 makes it. Torch-free.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/made_tensors.h"
#include "checkpoint/safetensors.h"

namespace helio::checkpoint {

class AdaptedWeights {
 public:
  // Error{invalid} names the tensor or key that is not what it must be, and what is not computed
  // here (DoRA, other kinds of adapters, biases).
  AdaptedWeights(const std::filesystem::path& base, const std::filesystem::path& adapter);
  ~AdaptedWeights();
  AdaptedWeights(AdaptedWeights&&) noexcept;

  // All of the base's, W + scale B A where the adapter changes W, computed once in f32 and rounded
  // to W's dtype. They read from this object's files.
  std::vector<MadeTensor> tensors() const;
  const SafeTensors& base() const;
  struct Counts {
    int64_t tensors = 0, merged = 0, replaced = 0;  // replaced: modules_to_save
  };
  Counts counts() const;
  // The base's tensors that the adapter changes.
  std::vector<std::string> changed() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace helio::checkpoint
