#include "nn/linear_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <string>

#include "core/error.h"
#include "nn/fused.h"
#include "nn/kernels.h"
#include "nn/parallel.h"
#include "nn/products.h"
#include "nn/torch_error.h"

namespace helio::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Positions [first, last); targets as a column, none ignored.
struct Chunk {
  int64_t first = 0, last = 0;
  at::Tensor hidden = {}, targets = {};
};

Chunk chunk_of(const at::Tensor& hidden, const at::Tensor& targets, int64_t first, int64_t size) {
  const int64_t last = std::min(first + size, hidden.size(0));
  return {first, last, hidden.slice(0, first, last), targets.slice(0, first, last).unsqueeze(1)};
}

// The head over all positions, a chunk at a time.
class ChunkedHead {
 public:
  ChunkedHead(const at::Tensor& weight, double softcap, at::ScalarType products)
      : weight_(weight),
        factor_(rounded(weight, products)),
        softcap_(softcap),
        fused_(can_fuse(weight)) {}

  // Log-probability of each target, [n] f32.
  at::Tensor log_probs(const Chunk& chunk) {
    compute_logits(chunk);
    if (fused_) return fused_rows(chunk, {}, SoftmaxRows::log_prob);
    return logits_.log_softmax(-1).gather(1, chunk.targets).squeeze(1);
  }

  // From now on gradients are also those of weight * (log sum exp(logits))^2.
  void regularise(double weight) { z_weight_ = weight; }
  double z() const { return z_sum_; }  // the sum of that so far

  // Also adds the gradients of sum_n scale_n * -log p_n; scale undefined: 1.
  at::Tensor log_probs_and_gradients(const Chunk& chunk, const at::Tensor& scale,
                                     at::Tensor& d_hidden, at::Tensor& d_weight) {
    compute_logits(chunk);
    // d logits / d products; the logits' memory is the gradient's afterwards.
    at::Tensor slope;
    if (softcap_ != 0) slope = 1 - (logits_ / softcap_).square();
    const at::Tensor factors = scale.defined() ? scale.slice(0, chunk.first, chunk.last) : scale;
    at::Tensor log_probs, d_logits, at_targets;
    if (z_weight_ != 0) at_targets = logits_.gather(1, chunk.targets).squeeze(1);
    if (fused_) {
      log_probs = fused_rows(chunk, factors, SoftmaxRows::gradient);
      d_logits = logits_;
    } else {
      const at::Tensor log_softmax = logits_.log_softmax(-1);
      log_probs = log_softmax.gather(1, chunk.targets).squeeze(1);
      at::Tensor g = log_softmax.exp();
      g.scatter_add_(1, chunk.targets, at::zeros_like(chunk.targets, g.options()).sub_(1));
      if (factors.defined()) g.mul_(factors.unsqueeze(1));
      d_logits = g;
    }
    if (z_weight_ != 0) add_z(d_logits, at_targets - log_probs, chunk);
    if (slope.defined()) d_logits = d_logits * slope;
    d_logits = d_logits.to(factor_.scalar_type());
    at::Tensor rows = d_hidden.slice(0, chunk.first, chunk.last);
    if (d_logits.scalar_type() == rows.scalar_type()) {
      rows.copy_(product(d_logits, factor_.t()));
      d_weight.addmm_(d_logits.t(), chunk.hidden);
    } else {
      rows.copy_(at::mm(d_logits, factor_));
      d_weight.add_(at::mm(d_logits.t(), chunk.hidden.to(d_logits.scalar_type())));
    }
    return log_probs;
  }

 private:
  // Only f32 weights are rounded: others have their type already.
  static at::Tensor rounded(const at::Tensor& weight, at::ScalarType products) {
    return weight.scalar_type() == at::kFloat ? weight.to(products) : weight;
  }

  // d_logits is softmax - one hot; the other gradient is 2 weight lse softmax.
  void add_z(at::Tensor& d_logits, const at::Tensor& lse, const Chunk& chunk) {
    const at::Tensor extra = (lse * (2 * z_weight_)).unsqueeze(1);
    d_logits.mul_(extra + 1);
    d_logits.scatter_add_(1, chunk.targets, extra);
    z_sum_ += z_weight_ * lse.square().sum(at::kDouble).item<double>();
  }

  void compute_logits(const Chunk& chunk) {
    compute_products(chunk);
    if (softcap_ != 0) logits_.div_(softcap_).tanh_().mul_(softcap_);
  }

  void compute_products(const Chunk& chunk) {
    if (!fused_) {
      logits_ = at::linear(chunk.hidden, weight_).to(at::kFloat);
      return;
    }
    logits_.reset();  // first, so that its memory is taken again
    logits_ = factor_.scalar_type() == chunk.hidden.scalar_type()
                  ? product(chunk.hidden, factor_)
                  : at::mm(chunk.hidden.to(factor_.scalar_type()), factor_.t()).to(at::kFloat);
  }

  at::Tensor fused_rows(const Chunk& chunk, const at::Tensor& factors, SoftmaxRows mode) {
    const int64_t rows = logits_.size(0), width = logits_.size(1);
    at::Tensor out = at::empty({rows}, logits_.options());
    const at::Tensor kept = factors.defined() ? factors.contiguous() : factors;
    const float* scale = kept.defined() ? kept.const_data_ptr<float>() : nullptr;
    const int64_t* targets = chunk.targets.const_data_ptr<int64_t>();
    float *logits = logits_.mutable_data_ptr<float>(), *log_probs = out.mutable_data_ptr<float>();
    constexpr int64_t kBlock = 16;
    parallel_rows(rows, kBlock, [&](int64_t first, int64_t last) {
      kernels()->softmax_rows(logits + first * width, targets + first,
                              scale ? scale + first : nullptr, log_probs + first, last - first,
                              width, mode);
    });
    return out;
  }

  at::Tensor weight_, factor_, logits_ = {};
  double softcap_, z_weight_ = 0, z_sum_ = 0;
  bool fused_;
};

at::Tensor all_log_probs(const at::Tensor& hidden, const at::Tensor& weight,
                         const at::Tensor& targets, double softcap, at::ScalarType products,
                         int64_t size) {
  const at::Tensor out = at::empty({hidden.size(0)}, at::TensorOptions(at::kFloat));
  ChunkedHead head(weight.detach(), softcap, products);
  for (int64_t first = 0; first < hidden.size(0); first += size) {
    const Chunk chunk = chunk_of(hidden.detach(), targets, first, size);
    out.slice(0, chunk.first, chunk.last).copy_(head.log_probs(chunk));
  }
  return out;
}

struct Gradients {
  at::Tensor hidden = {}, weight = {};
};

struct CrossEntropy : Function<CrossEntropy> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden,
                            const at::Tensor& weight, const at::Tensor& targets, double softcap,
                            at::ScalarType products, int64_t size, double z_weight, double* z_sum) {
    Gradients gradients{at::empty_like(hidden), at::zeros_like(weight)};
    ChunkedHead head(weight, softcap, products);
    head.regularise(z_weight);
    double sum = 0;
    for (int64_t first = 0; first < hidden.size(0); first += size) {
      const Chunk chunk = chunk_of(hidden, targets, first, size);
      sum -= head.log_probs_and_gradients(chunk, {}, gradients.hidden, gradients.weight)
                 .sum(at::kDouble)
                 .item<double>();
    }
    context->save_for_backward({gradients.hidden, gradients.weight});
    *z_sum = head.z();
    sum += head.z();
    return at::scalar_tensor(sum, at::TensorOptions(at::kFloat));
  }
  static variable_list backward(AutogradContext* context, variable_list grad) {
    const c10::AutoGradMode no_grad(false);
    auto saved = context->get_saved_variables();
    // In place: nobody else has them, and a second backward pass is refused by autograd.
    const double scale = grad[0].item<double>();
    return {saved[0].mul_(scale), saved[1].mul_(scale), {}, {}, {}, {}, {}, {}};
  }
};

struct LogProbs : Function<LogProbs> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden,
                            const at::Tensor& weight, const at::Tensor& targets, double softcap,
                            at::ScalarType products, int64_t size) {
    context->save_for_backward({hidden, weight, targets});
    context->saved_data["chunk"] = size;
    context->saved_data["softcap"] = softcap;
    context->saved_data["products"] = static_cast<int64_t>(products);
    return all_log_probs(hidden, weight, targets, softcap, products, size);
  }
  static variable_list backward(AutogradContext* context, variable_list grad) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2];
    const int64_t size = context->saved_data["chunk"].toInt();
    const double softcap = context->saved_data["softcap"].toDouble();
    const auto products = static_cast<at::ScalarType>(context->saved_data["products"].toInt());
    const at::Tensor scale = grad[0].neg();
    Gradients gradients{at::empty_like(hidden), at::zeros_like(weight)};
    ChunkedHead head(weight, softcap, products);
    for (int64_t first = 0; first < hidden.size(0); first += size)
      head.log_probs_and_gradients(chunk_of(hidden, targets, first, size), scale, gradients.hidden,
                                   gradients.weight);
    return {gradients.hidden, gradients.weight, {}, {}, {}, {}};
  }
};

// Rows whose target counts; `rows` is undefined when all do.
struct Kept {
  at::Tensor hidden = {}, targets = {}, rows = {};
};

// Targets are checked here, once: the kernels index with them.
Kept keep_targets(const at::Tensor& hidden, const at::Tensor& targets, int64_t vocabulary) {
  const at::Tensor counted = targets != kIgnoreTarget;
  const at::Tensor outside = ((targets < 0) & counted) | (targets >= vocabulary);
  if (outside.any().item<bool>()) {
    throw Error(ErrorKind::invalid,
                "a target is outside the vocabulary of " + std::to_string(vocabulary));
  }
  const at::Tensor rows = counted.nonzero().squeeze(1);
  if (rows.size(0) == targets.size(0)) return {hidden.contiguous(), targets.contiguous(), {}};
  return {hidden.index_select(0, rows), targets.index_select(0, rows), rows};
}

void check(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
           int64_t chunk) {
  HELIO_CHECK(hidden.dim() == 2 && weight.dim() == 2 && targets.dim() == 1 &&
                  hidden.size(1) == weight.size(1) && hidden.size(0) == targets.size(0) &&
                  targets.scalar_type() == at::kLong && chunk > 0,
              shapes_text({{"hidden", hidden}, {"weight", weight}, {"targets", targets}}));
}

bool records_gradient(const at::Tensor& hidden, const at::Tensor& weight) {
  return c10::GradMode::is_enabled() && (hidden.requires_grad() || weight.requires_grad());
}

}  // namespace

at::Tensor linear_cross_entropy_sum(const at::Tensor& hidden_NH, const Head& head,
                                    const at::Tensor& targets_N, int64_t chunk) {
  return linear_cross_entropy_with_z(hidden_NH, head, targets_N, 0, chunk).sum;
}

RegularisedLoss linear_cross_entropy_with_z(const at::Tensor& hidden_NH, const Head& head,
                                            const at::Tensor& targets_N, double weight,
                                            int64_t chunk) {
  check(hidden_NH, head.weight_VH, targets_N, chunk);
  return with_torch_errors(
      [&] {
        return "computing the loss of " +
               shapes_text(
                   {{"hidden", hidden_NH}, {"weight", head.weight_VH}, {"targets", targets_N}});
      },
      [&]() -> RegularisedLoss {
        const Kept kept = keep_targets(hidden_NH, targets_N, head.weight_VH.size(0));
        if (records_gradient(hidden_NH, head.weight_VH)) {
          double z = 0;
          const at::Tensor sum =
              CrossEntropy::apply(kept.hidden, head.weight_VH, kept.targets, head.softcap,
                                  head.products, chunk, weight, &z);
          return {.sum = sum, .z = z};
        }
        HELIO_CHECK(weight == 0, "regularised for training only");
        const at::Tensor log_probs = all_log_probs(kept.hidden, head.weight_VH, kept.targets,
                                                   head.softcap, head.products, chunk);
        return {.sum = log_probs.sum(at::kDouble).neg().to(at::kFloat)};
      });
}

at::Tensor linear_log_probs(const at::Tensor& hidden_NH, const Head& head,
                            const at::Tensor& targets_N, int64_t chunk) {
  check(hidden_NH, head.weight_VH, targets_N, chunk);
  return with_torch_errors(
      [&] {
        return "computing log-probabilities of " +
               shapes_text(
                   {{"hidden", hidden_NH}, {"weight", head.weight_VH}, {"targets", targets_N}});
      },
      [&] {
        const Kept kept = keep_targets(hidden_NH, targets_N, head.weight_VH.size(0));
        const at::Tensor log_probs =
            records_gradient(hidden_NH, head.weight_VH)
                ? LogProbs::apply(kept.hidden, head.weight_VH, kept.targets, head.softcap,
                                  head.products, chunk)
                : all_log_probs(kept.hidden, head.weight_VH, kept.targets, head.softcap,
                                head.products, chunk);
        if (!kept.rows.defined()) return log_probs;
        return at::zeros({targets_N.size(0)}, log_probs.options())
            .index_put({kept.rows}, log_probs);
      });
}

}  // namespace helio::nn
