#include "nn/products.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>
#include <c10/core/GradMode.h>

#include <optional>
#include <string_view>

#include "nn/kernels.h"
#include "nn/processor.h"

namespace helio::nn {
namespace {

using LinearOp = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            std::string_view, c10::List<std::optional<at::Scalar>>,
                            std::optional<std::string_view>);

// The operator that LibTorch's own compiler calls for linear layers on the CPU; null where this
// LibTorch has none, or MKL is as fast. HELIO_KERNELS=none asks for plain compositions.
const c10::TypedOperatorHandle<LinearOp>* onednn_linear() {
  static const auto found = []() -> std::optional<c10::TypedOperatorHandle<LinearOp>> {
    if (!processor().amd || !processor().avx512_bytes || kernels() == nullptr) return std::nullopt;
    const auto op = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    return op ? std::optional(op->typed<LinearOp>()) : std::nullopt;
  }();
  return found ? &*found : nullptr;
}

}  // namespace

at::Tensor product(const at::Tensor& x_NI, const at::Tensor& w_OI, const at::Tensor& residual) {
  constexpr double kLarge = 1 << 25;  // products of numbers; below, the call itself costs more
  const bool large = static_cast<double>(x_NI.size(0)) * static_cast<double>(x_NI.size(1)) *
                         static_cast<double>(w_OI.size(0)) >=
                     kLarge;
  const auto* linear = large && x_NI.scalar_type() == at::kFloat && !c10::GradMode::is_enabled()
                           ? onednn_linear()
                           : nullptr;
  if (!linear)
    return residual.defined() ? at::addmm(residual, x_NI, w_OI.t()) : at::mm(x_NI, w_OI.t());
  at::Tensor out = linear->call(x_NI, w_OI, std::nullopt, "none",
                                c10::List<std::optional<at::Scalar>>(), std::nullopt);
  return residual.defined() ? out.add_(residual) : out;
}

}  // namespace helio::nn
