#include "engine/training_output.h"

#include <fmt/format.h>

#include <ostream>

namespace helio::engine {
namespace {

std::string duration(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  if (seconds < 5400) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string count(const OrderedJson& value) {
  return fmt::format("{}", fmt::group_digits(value.get<int64_t>()));
}

}  // namespace

void print_plan(cli::Context& context, const OrderedJson& plan) {
  if (context.json) {
    context.out << compact(plan) << "\n";
    return;
  }
  const auto line = [&](const char* name, const std::string& value) {
    context.out << fmt::format("  {:<12}{}\n", name, value);
  };
  context.out << "helio " << plan.at("command").get<std::string>()
              << " would do this (nothing is written):\n";
  for (const auto& input : plan.at("inputs"))
    line("reads",
         fmt::format("{}: {} {} ({})", input.at("role").get<std::string>(),
                     input.at("kind").get<std::string>(), input.at("name").get<std::string>(),
                     input.at("content").get<std::string>().substr(0, 12)));
  for (const auto& [role, path] : plan.at("outputs").items())
    line("writes", path.get<std::string>());
  line("parameters",
       fmt::format("{} in {} layers", count(plan.at("parameters")), count(plan.at("layers"))));
  if (plan.contains("pairs"))
    line("pairs", fmt::format("{} to train on, {} held out", count(plan.at("pairs")),
                              count(plan.at("heldout_pairs"))));
  line("steps", count(plan.at("steps")));
  line("tokens", count(plan.at("tokens")));
  const auto gib = [](const OrderedJson& bytes) { return bytes.get<double>() / (1 << 30); };
  std::string memory = fmt::format("about {:.1f} GiB", gib(plan.at("memory_bytes")));
  if (plan.contains("processes")) {
    memory +=
        fmt::format(" in each of {} processes; by --train.shard", count(plan.at("processes")));
    for (const auto& [level, bytes] : plan.at("memory_bytes_by_shard").items())
      memory += fmt::format(" {} {:.1f}", level, gib(bytes));
  }
  line("memory", memory);
  line("disk",
       fmt::format("about {:.1f} GiB for checkpoints and model", gib(plan.at("disk_bytes"))));
  line(
      "time",
      fmt::format("about {} ({:.2g} FLOP; products run at {:.0f} GFLOP/s here with {} threads)",
                  duration(plan.at("seconds").get<double>()), plan.at("flops").get<double>(),
                  plan.at("gemm_flops_per_second").get<double>() / 1e9, count(plan.at("threads"))));
}

void print_summary(cli::Context& context, const std::string& out,
                   const train::RunSummary& summary) {
  if (context.json) {
    OrderedJson json = summary.json();
    json["out"] = out;
    context.out << compact(json) << "\n";
    return;
  }
  context.out << fmt::format("{} steps, {} tokens: loss {:.4f} to {:.4f}", summary.steps,
                             summary.tokens, summary.first_loss, summary.last_loss);
  if (summary.heldout_start)
    context.out << fmt::format(", held-out {:.4f} to {:.4f}", *summary.heldout_start,
                               *summary.heldout_end);
  context.out << "\nModel: " << out << "\n";
}

}  // namespace helio::engine
