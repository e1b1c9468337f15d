// Gradients added up over the processes of a run while the backward pass still runs.
//
// Weights are gathered into buckets in the order in which a backward pass reaches them (the last
// first). Once every weight of a bucket has its gradient, and all buckets before it are on their
// way, its sum begins: so that all processes begin the same sums in the same order, whatever the
// order of their own gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "model/decoder.h"
#include "train/distributed/communicator.h"

namespace helio::train::distributed {

class GradientSum {
 public:
  // `owners`, where given, names for each weight the one process that needs its sum; the others
  // lose their gradient of it. Weights and communicator must outlive this. A bucket is large enough
  // that a sum's fixed cost is small beside it, small enough that the first leave early.
  GradientSum(Communicator& communicator, std::vector<model::Decoder::Named> weights,
              std::vector<int64_t> owners, int64_t bucket_bytes = int64_t(8) << 20);
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  // Before the backward pass that completes the gradients of a step: from here on they are sent.
  void arm();
  // After it: sends what is left (zeros for a weight that got no gradient) and waits. Each weight's
  // grad is then the sum.
  void finish();

 private:
  struct Bucket {
    std::vector<size_t> weights = {};
    int64_t owner = -1;  // -1: all need it
    size_t missing = 0;
    at::Tensor flat = {};
    Communicator::Pending wait = {};
  };
  class Hook;
  void ready(size_t weight);
  void send(Bucket& bucket);

  Communicator& communicator_;
  std::vector<model::Decoder::Named> weights_;
  std::vector<Bucket> buckets_;
  std::vector<size_t> bucket_of_;
  std::vector<bool> has_gradient_;
  size_t sent_ = 0;  // buckets on their way
  bool armed_ = false;
};

}  // namespace helio::train::distributed
