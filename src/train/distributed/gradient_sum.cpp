#include "train/distributed/gradient_sum.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "core/error.h"

namespace helio::train::distributed {
class GradientSum::Hook final : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(GradientSum& sum, size_t weight) : sum_(sum), weight_(weight) {}
  void operator()(const at::Tensor&) override { sum_.ready(weight_); }

 private:
  GradientSum& sum_;
  size_t weight_;
};

GradientSum::GradientSum(Communicator& communicator, std::vector<model::Decoder::Named> weights,
                         std::vector<int64_t> owners, int64_t bucket_bytes)
    : communicator_(communicator),
      weights_(std::move(weights)),
      bucket_of_(weights_.size()),
      has_gradient_(weights_.size()) {
  std::vector<int64_t> open(static_cast<size_t>(communicator.size()) + 1, -1), bytes = open;
  for (size_t i = weights_.size(); i-- > 0;) {
    const int64_t owner = owners.empty() ? -1 : owners[i];
    const auto lane = static_cast<size_t>(owner + 1);
    const auto size = static_cast<int64_t>(weights_[i].tensor.nbytes());
    const bool same_type =
        open[lane] >= 0 &&
        weights_[buckets_[static_cast<size_t>(open[lane])].weights[0]].tensor.scalar_type() ==
            weights_[i].tensor.scalar_type();
    if (!same_type || bytes[lane] + size > bucket_bytes) {
      open[lane] = static_cast<int64_t>(buckets_.size());
      bytes[lane] = 0;
      buckets_.push_back({.owner = owner});
    }
    bucket_of_[i] = static_cast<size_t>(open[lane]);
    buckets_[bucket_of_[i]].weights.push_back(i);
    bytes[lane] += size;
    torch::autograd::impl::set_post_acc_grad_hooks(weights_[i].tensor,
                                                   std::make_unique<Hook>(*this, i));
  }
}

GradientSum::~GradientSum() {
  for (const auto& weight : weights_)
    torch::autograd::impl::set_post_acc_grad_hooks(weight.tensor, nullptr);
}

void GradientSum::arm() {
  for (Bucket& bucket : buckets_) bucket.missing = bucket.weights.size();
  std::fill(has_gradient_.begin(), has_gradient_.end(), false);
  sent_ = 0;
  armed_ = true;
}

void GradientSum::ready(size_t weight) {
  if (!armed_) return;
  // A weight that is reached twice (its layer was computed again in parts) would be sent too early.
  HELIO_CHECK(!has_gradient_[weight], "two gradients of " + weights_[weight].name);
  has_gradient_[weight] = true;
  --buckets_[bucket_of_[weight]].missing;
  while (sent_ < buckets_.size() && buckets_[sent_].missing == 0) send(buckets_[sent_++]);
}

void GradientSum::send(Bucket& bucket) {
  const c10::AutoGradMode no_grad(false);
  std::vector<at::Tensor> parts;
  for (const size_t i : bucket.weights) {
    const at::Tensor& weight = weights_[i].tensor;
    at::Tensor gradient = weight.grad();
    if (!gradient.defined()) gradient = at::zeros_like(weight);
    parts.push_back(gradient.reshape({-1}));
  }
  bucket.flat = parts.size() == 1 ? parts[0] : at::cat(parts);
  // The gradients lie in the bucket from here on: no second copy of them.
  int64_t begin = 0;
  for (const size_t i : bucket.weights) {
    const at::Tensor& weight = weights_[i].tensor;
    weight.mutable_grad() = bucket.flat.narrow(0, begin, weight.numel()).view(weight.sizes());
    begin += weight.numel();
  }
  bucket.wait = bucket.owner < 0 ? communicator_.begin_sum(bucket.flat)
                                 : communicator_.begin_sum_at(bucket.flat, bucket.owner);
}

void GradientSum::finish() {
  HELIO_CHECK(armed_, "finish() without arm()");
  armed_ = false;
  while (sent_ < buckets_.size()) send(buckets_[sent_++]);
  for (Bucket& bucket : buckets_) {
    bucket.wait();
    if (bucket.owner >= 0 && bucket.owner != communicator_.rank())
      for (const size_t i : bucket.weights) weights_[i].tensor.mutable_grad().reset();
    bucket.flat.reset();
  }
}

}  // namespace helio::train::distributed
