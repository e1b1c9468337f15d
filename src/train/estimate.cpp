#include "train/estimate.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>

#include "train/compute.h"

namespace helio::train {
namespace {

// Share of the machine's matrix-product rate that whole training steps reach: the rest is
// attention, norms, the loss and the optimiser. Measured with solar-mini's shapes on two AVX-512
// cores.
constexpr double kStepEfficiency = 0.6;

}  // namespace

double product_rate(int64_t width, at::ScalarType type) {
  using Clock = std::chrono::steady_clock;
  const c10::AutoGradMode no_grad(false);
  constexpr int64_t kRows = 1024;
  width = std::max<int64_t>(64, width);
  const at::Tensor a = at::ones({kRows, width}, at::TensorOptions(type));
  const at::Tensor b = at::ones({width, width}, at::TensorOptions(type));
  at::mm(a, b);
  double best = 0;
  const auto end = Clock::now() + std::chrono::milliseconds(300);
  while (Clock::now() < end) {
    const auto start = Clock::now();
    at::mm(a, b);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 2.0 * static_cast<double>(kRows * width * width) / seconds);
  }
  return best;
}

double forward_flops(const checkpoint::DecoderConfig& config, int64_t sequence) {
  const int64_t embedding = config.vocab_size * config.hidden_size;
  const int64_t products = config.active_parameters() - (config.tied_embeddings ? 0 : embedding);
  const int64_t attention = config.layers * config.heads * config.head_dim * sequence;
  return 2.0 * static_cast<double>(products) + 2.0 * static_cast<double>(attention);
}

Estimate estimate(const checkpoint::DecoderConfig& config, const Workload& work) {
  Estimate e{.parameters = config.parameters()};
  const double forward = forward_flops(config, work.sequence);
  e.flops =
      forward * (3.0 * static_cast<double>(work.tokens) + static_cast<double>(work.forward_tokens));
  if (work.train.recompute) e.flops += forward * static_cast<double>(work.tokens);
  e.memory_bytes = peak_memory(config, work);
  e.disk_bytes = disk_needed(config, work);
  e.gemm_flops_per_second = product_rate(config.hidden_size, forward_options(work.train).products);
  e.seconds = e.flops / (kStepEfficiency * e.gemm_flops_per_second);
  return e;
}

OrderedJson plan_json(const RunSetup& setup, const checkpoint::DecoderConfig& config,
                      const Workload& work) {
  check_room(config, work, room_here(setup.run));
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
          {"disk_bytes", e.disk_bytes},
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
