// One tensor made of the same tensor of several models, piece by piece: what is in memory does not
// depend on the tensor's size.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/merge/arithmetic.h"
#include "checkpoint/merge/methods.h"
#include "checkpoint/rewrite.h"
#include "checkpoint/safetensors.h"

namespace helio::checkpoint {

// Reads bytes of a checkpoint's tensors by position, so that their pages do not count as ours.
class TensorReader {
 public:
  explicit TensorReader(const SafeTensors& checkpoint);
  TensorReader(TensorReader&& other) noexcept;
  TensorReader& operator=(TensorReader&&) = delete;
  ~TensorReader();
  // Bytes of the tensor from `offset` on; safe on many threads. Throws when the file became
  // shorter.
  void read(const TensorInfo& tensor, uint64_t offset, std::span<std::byte> to) const;

 private:
  std::vector<int> files_ = {};
  std::vector<std::string> names_ = {};
};

struct MergeInput {
  const TensorReader* reader = nullptr;
  const TensorInfo* tensor = nullptr;
  double weight = 1, density = 1;
};

// How: the resolved parameters of one tensor.
struct MergeRule {
  MergeMethod method = MergeMethod::passthrough;
  DType work = DType::f32, out = DType::f32;  // f32, bf16 or f16
  size_t base = 0;                            // among the inputs, where the method has one
  bool mean = false;                          // linear with equal weights, whatever the method
  bool normalize = false, rescale = false;
  double t = 0, lambda = 1, scale = 1;
  uint64_t stream = 0;  // of chance (DARE), of this tensor
};

class TensorMerge {
 public:
  // `not_numbers` counts NaN among the results. The inputs outlive this.
  TensorMerge(MergeRule rule, std::vector<MergeInput> inputs, std::atomic<int64_t>& not_numbers);

  void prepare(int threads, const StopRequest& stop);
  void fill(uint64_t first, std::span<std::byte> to) const;

 private:
  struct Sparsity {  // of one model's differences from the base
    bool all = true, none = false;
    uint32_t magnitude = 0;                // TIES: kept from here on
    std::vector<uint64_t> ties_left = {};  // of this very magnitude may stay, by piece
    float density = 1;                     // DARE
    uint64_t stream = 0;
    float rescale = 1;
  };

  bool of_task_vectors() const;
  void load(size_t input, uint64_t first, std::span<float> to) const;
  void load_delta(size_t input, uint64_t first, std::span<const float> base,
                  std::span<float> to) const;
  void sparsify(const Sparsity& how, uint64_t first, std::span<float> delta) const;
  void find_angle(int threads, const StopRequest& stop);
  void find_threshold(size_t input, Sparsity& how, int threads, const StopRequest& stop) const;
  void find_rescale(size_t input, Sparsity& how, int threads, const StopRequest& stop) const;
  template <class Take>
  void each_delta(size_t input, int threads, const StopRequest& stop, Take&& take) const;
  void fill_linear(uint64_t first, std::span<float> out) const;
  void fill_task(uint64_t first, std::span<float> out) const;

  MergeRule rule_;
  std::vector<MergeInput> inputs_;
  std::atomic<int64_t>& not_numbers_;
  uint64_t count_ = 0;
  std::vector<float> weights_ = {};      // of inputs (linear), of those beside the base (others)
  std::vector<Sparsity> sparsity_ = {};  // one an input
  float share_of_base_ = 0, share_of_other_ = 0;  // slerp
};

}  // namespace helio::checkpoint
