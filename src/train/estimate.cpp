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

Estimate estimate(const checkpoint::DecoderConfig& config, const Workload& work) {
  Estimate e{.parameters = config.parameters()};
  e.flops = run_flops(config, work);
  e.memory_bytes = peak_memory(config, work);
  e.disk_bytes = disk_needed(config, work);
  e.gemm_flops_per_second = product_rate(config.hidden_size, forward_options(work.train).products);
  e.seconds = e.flops / (kStepEfficiency * e.gemm_flops_per_second);
  return e;
}

OrderedJson plan_json(const RunSetup& setup, const checkpoint::DecoderConfig& config,
                      const Workload& work) {
  const Room room = room_here(setup.run);
  check_room(config, work, room);
  const Estimate e = estimate(config, work);
  const int64_t wanted = copy_memory(config, work);
  const int64_t copy = e.memory_bytes + wanted <= room.memory ? wanted : 0;
  OrderedJson inputs = OrderedJson::array();
  for (const auto& input : setup.inputs)
    inputs.push_back({{"role", input.role},
                      {"kind", input.kind},
                      {"name", input.name},
                      {"content", input.content}});
  OrderedJson plan = {{"command", setup.command},
                      {"inputs", inputs},
                      {"outputs", {{"out", setup.out.string()}, {"run", setup.run.string()}}},
                      {"parameters", e.parameters},
                      {"layers", config.layers},
                      {"steps", work.steps},
                      {"tokens", work.tokens},
                      {"threads", setup.threads},
                      {"memory_bytes", e.memory_bytes + copy},
                      {"checkpoint_copy_bytes", copy},
                      {"disk_bytes", e.disk_bytes},
                      {"flops", e.flops},
                      {"gemm_flops_per_second", e.gemm_flops_per_second},
                      {"seconds", e.seconds},
                      {"options", setup.options}};
  if (work.processes > 1) {
    plan["processes"] = work.processes;
    for (const char* level : {"none", "optimizer", "gradients", "weights"}) {
      Workload divided = work;
      divided.train.sharding.shard = level;
      plan["memory_bytes_by_shard"][level] = peak_memory(config, divided);
    }
  }
  return plan;
}

void add_shape_facts(OrderedJson& facts, const checkpoint::DecoderConfig& config) {
  facts["parameters"] = config.parameters();
  facts["layers"] = config.layers;
  facts["hidden_size"] = config.hidden_size;
  facts["vocab_size"] = config.vocab_size;
  facts["context"] = config.max_positions;
}

}  // namespace helio::train
