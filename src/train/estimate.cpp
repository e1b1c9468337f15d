#include "train/estimate.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>

#include <chrono>

namespace helio::train {
namespace {

// Share of the machine's matrix-product rate that whole training steps reach: the rest is
// attention, norms, the loss and the optimiser. Measured with solar-mini's shapes on two AVX-512
// cores.
constexpr double kStepEfficiency = 0.6;

double measure_gemm(int64_t rows, int64_t width) {
  using Clock = std::chrono::steady_clock;
  const c10::AutoGradMode no_grad(false);
  const at::Tensor a = at::ones({rows, width}, at::TensorOptions(at::kFloat));
  const at::Tensor b = at::ones({width, width}, at::TensorOptions(at::kFloat));
  at::mm(a, b);
  double best = 0;
  const auto end = Clock::now() + std::chrono::milliseconds(300);
  while (Clock::now() < end) {
    const auto start = Clock::now();
    at::mm(a, b);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 2.0 * static_cast<double>(rows * width * width) / seconds);
  }
  return best;
}

}  // namespace

Estimate estimate(const checkpoint::DecoderConfig& config, const Workload& work) {
  Estimate e{.parameters = config.parameters()};
  const int64_t embedding = config.vocab_size * config.hidden_size;
  const double products =
      static_cast<double>(config.active_parameters() - (config.tied_embeddings ? 0 : embedding));
  const double attention =
      2.0 * static_cast<double>(config.layers * config.heads * config.head_dim * work.sequence);
  const double forward = 2 * products + attention;
  e.flops =
      forward * (3.0 * static_cast<double>(work.tokens) + static_cast<double>(work.forward_tokens));
  const int64_t rows = work.micro_rows ? work.micro_rows : work.step_rows;
  const int64_t kept_per_token =
      config.layers * (14 * config.hidden_size + 4 * config.intermediate_size);
  e.memory_bytes =
      16 * e.parameters + rows * work.sequence * kept_per_token * 4 + (int64_t(350) << 20);
  e.gemm_flops_per_second = measure_gemm(1024, std::max<int64_t>(64, config.hidden_size));
  e.seconds = e.flops / (kStepEfficiency * e.gemm_flops_per_second);
  return e;
}

OrderedJson plan_json(const RunSetup& setup, const checkpoint::DecoderConfig& config,
                      const Workload& work) {
  const Estimate e = estimate(config, work);
  OrderedJson inputs = OrderedJson::array();
  for (const auto& input : setup.inputs)
    inputs.push_back({{"role", input.role},
                      {"kind", input.kind},
                      {"name", input.name},
                      {"content", input.content}});
  return {{"command", setup.command},
          {"inputs", inputs},
          {"outputs", {{"out", setup.out.string()}, {"run", setup.run.string()}}},
          {"parameters", e.parameters},
          {"layers", config.layers},
          {"steps", work.steps},
          {"tokens", work.tokens},
          {"threads", setup.threads},
          {"memory_bytes", e.memory_bytes},
          {"flops", e.flops},
          {"gemm_flops_per_second", e.gemm_flops_per_second},
          {"seconds", e.seconds},
          {"options", setup.options}};
}

void add_shape_facts(OrderedJson& facts, const checkpoint::DecoderConfig& config) {
  facts["parameters"] = config.parameters();
  facts["layers"] = config.layers;
  facts["hidden_size"] = config.hidden_size;
  facts["vocab_size"] = config.vocab_size;
  facts["context"] = config.max_positions;
}

}  // namespace helio::train
