#include "train/study/loss_curve.h"

#include <map>

#include "core/json.h"
#include "core/lines.h"

namespace helio::train {

std::vector<LossPoint> read_loss_curve(const std::filesystem::path& metrics,
                                       double tokens_per_step) {
  std::map<int64_t, double> losses;  // a resumed run may tell a step twice: the last counts
  read_jsonl(metrics, [&](const Json& row, int64_t) {
    if (row.is_object() && row.contains("eval/loss") && row["eval/loss"].is_number() &&
        row.contains("step") && row["step"].is_number_integer())
      losses[row["step"].get<int64_t>()] = row["eval/loss"].get<double>();
  });
  std::vector<LossPoint> curve;
  for (const auto& [step, loss] : losses)
    curve.push_back({static_cast<double>(step) * tokens_per_step, loss});
  return curve;
}

std::optional<double> tokens_to_reach(const std::vector<LossPoint>& curve, double loss) {
  for (size_t i = 0; i < curve.size(); ++i) {
    const LossPoint& point = curve[i];
    if (point.loss > loss) continue;
    if (i == 0) return point.tokens;
    const LossPoint& before = curve[i - 1];
    const double share = (before.loss - loss) / (before.loss - point.loss);
    return before.tokens + share * (point.tokens - before.tokens);
  }
  return {};
}

}  // namespace helio::train
