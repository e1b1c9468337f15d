// A run's held-out losses over the tokens it was trained on. Torch-free.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace helio::train {

struct LossPoint {
  double tokens = 0, loss = 0;
};

// The eval/loss lines of a run's metrics.jsonl in the order of their steps; step 0 is the start.
std::vector<LossPoint> read_loss_curve(const std::filesystem::path& metrics,
                                       double tokens_per_step);

// Where the curve first is at or below `loss`, on the straight line from the point before. Nothing
// when it never is.
std::optional<double> tokens_to_reach(const std::vector<LossPoint>& curve, double loss);

}  // namespace helio::train
