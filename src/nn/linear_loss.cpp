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
#include "nn/torch_error.h"

namespace helio::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Log-probabilities of targets[first, last), and on the way what the gradient needs.
struct Chunk {
  int64_t first = 0, last = 0;
  at::Tensor hidden = {}, targets = {};  // rows of the chunk; targets as a column, none ignored
};

Chunk chunk_of(const at::Tensor& hidden, const at::Tensor& targets, int64_t first, int64_t size) {
  const int64_t last = std::min(first + size, hidden.size(0));
  return {first, last, hidden.slice(0, first, last), targets.slice(0, first, last).unsqueeze(1)};
}

at::Tensor chunk_log_softmax(const Chunk& chunk, const at::Tensor& weight) {
  return at::linear(chunk.hidden, weight).to(at::kFloat).log_softmax(-1);
}

at::Tensor all_log_probs(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                         int64_t size) {
  const at::Tensor out = at::empty({hidden.size(0)}, at::TensorOptions(at::kFloat));
  for (int64_t first = 0; first < hidden.size(0); first += size) {
    const Chunk chunk = chunk_of(hidden, targets, first, size);
    out.slice(0, chunk.first, chunk.last)
        .copy_(chunk_log_softmax(chunk, weight).gather(1, chunk.targets).squeeze(1));
  }
  return out;
}

// d(sum_n scale_n * -log p_n): (softmax - one_hot) * scale, for one chunk, from its log-softmax, which
// it overwrites.
struct Gradients {
  at::Tensor hidden = {}, weight = {};
};
void add_chunk_gradients(const Chunk& chunk, at::Tensor log_softmax, const at::Tensor& weight,
                         const at::Tensor& scale, Gradients& into) {
  at::Tensor g = log_softmax.exp_();
  g.scatter_add_(1, chunk.targets, at::zeros_like(chunk.targets, g.options()).sub_(1));
  if (scale.defined()) g.mul_(scale.slice(0, chunk.first, chunk.last).unsqueeze(1));
  g = g.to(weight.scalar_type());
  at::Tensor rows = into.hidden.slice(0, chunk.first, chunk.last);
  at::mm_out(rows, g, weight);
  into.weight.addmm_(g.t(), chunk.hidden);
}

struct CrossEntropy : Function<CrossEntropy> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden,
                            const at::Tensor& weight, const at::Tensor& targets, int64_t size) {
    Gradients gradients{at::empty_like(hidden), at::zeros_like(weight)};
    double sum = 0;
    for (int64_t first = 0; first < hidden.size(0); first += size) {
      const Chunk chunk = chunk_of(hidden, targets, first, size);
      const at::Tensor log_softmax = chunk_log_softmax(chunk, weight);
      sum -= log_softmax.gather(1, chunk.targets).sum(at::kDouble).item<double>();
      add_chunk_gradients(chunk, log_softmax, weight, {}, gradients);
    }
    context->save_for_backward({gradients.hidden, gradients.weight});
    return at::scalar_tensor(sum, at::TensorOptions(at::kFloat));
  }
  static variable_list backward(AutogradContext* context, variable_list grad) {
    const auto saved = context->get_saved_variables();
    const double scale = grad[0].item<double>();
    return {saved[0] * scale, saved[1] * scale, {}, {}};
  }
};

struct LogProbs : Function<LogProbs> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden,
                            const at::Tensor& weight, const at::Tensor& targets, int64_t size) {
    context->save_for_backward({hidden, weight, targets});
    context->saved_data["chunk"] = size;
    return all_log_probs(hidden, weight, targets, size);
  }
  static variable_list backward(AutogradContext* context, variable_list grad) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2];
    const int64_t size = context->saved_data["chunk"].toInt();
    const at::Tensor scale = grad[0].neg();
    Gradients gradients{at::empty_like(hidden), at::zeros_like(weight)};
    for (int64_t first = 0; first < hidden.size(0); first += size) {
      const Chunk chunk = chunk_of(hidden, targets, first, size);
      add_chunk_gradients(chunk, chunk_log_softmax(chunk, weight), weight, scale, gradients);
    }
    return {gradients.hidden, gradients.weight, {}, {}};
  }
};

// Rows whose target counts; `rows` is undefined when all do.
struct Kept {
  at::Tensor hidden = {}, targets = {}, rows = {};
};

Kept keep_targets(const at::Tensor& hidden, const at::Tensor& targets) {
  const at::Tensor rows = (targets != kIgnoreTarget).nonzero().squeeze(1);
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

at::Tensor linear_cross_entropy_sum(const at::Tensor& hidden_NH, const at::Tensor& weight_VH,
                                    const at::Tensor& targets_N, int64_t chunk) {
  check(hidden_NH, weight_VH, targets_N, chunk);
  return with_torch_errors(
      [&] {
        return "computing the loss of " +
               shapes_text({{"hidden", hidden_NH}, {"weight", weight_VH}, {"targets", targets_N}});
      },
      [&] {
        const Kept kept = keep_targets(hidden_NH, targets_N);
        if (records_gradient(hidden_NH, weight_VH))
          return CrossEntropy::apply(kept.hidden, weight_VH, kept.targets, chunk);
        const at::Tensor log_probs = all_log_probs(kept.hidden, weight_VH, kept.targets, chunk);
        return log_probs.sum(at::kDouble).neg().to(at::kFloat);
      });
}

at::Tensor linear_log_probs(const at::Tensor& hidden_NH, const at::Tensor& weight_VH,
                            const at::Tensor& targets_N, int64_t chunk) {
  check(hidden_NH, weight_VH, targets_N, chunk);
  return with_torch_errors(
      [&] {
        return "computing log-probabilities of " +
               shapes_text({{"hidden", hidden_NH}, {"weight", weight_VH}, {"targets", targets_N}});
      },
      [&] {
        const Kept kept = keep_targets(hidden_NH, targets_N);
        const at::Tensor log_probs =
            records_gradient(hidden_NH, weight_VH)
                ? LogProbs::apply(kept.hidden, weight_VH, kept.targets, chunk)
                : all_log_probs(kept.hidden, weight_VH, kept.targets, chunk);
        if (!kept.rows.defined()) return log_probs;
        return at::zeros({targets_N.size(0)}, log_probs.options()).index_put({kept.rows}, log_probs);
      });
}

}  // namespace helio::nn
