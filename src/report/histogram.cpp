#include <algorithm>
#include <cmath>

#include "report/charts.h"
#include "report/format.h"

namespace helio::report {
namespace {

double placed(HistogramChart::Scale scale, double value) {
  return scale == HistogramChart::Scale::log ? std::log10(1 + std::max(0.0, value)) : value;
}
double value_at(HistogramChart::Scale scale, double place) {
  return scale == HistogramChart::Scale::log ? std::pow(10, place) - 1 : place;
}

std::vector<double> tick_values(const HistogramChart& chart) {
  if (chart.scale == HistogramChart::Scale::linear) return ticks(chart.low, chart.high, 5);
  std::vector<double> values;
  if (chart.low <= 0) values.push_back(0);
  for (double power = 1; power <= chart.high; power *= 10)
    if (power >= chart.low && (power > 1 || chart.low > 0)) values.push_back(power);
  return values;
}

}  // namespace

Markup draw(const HistogramChart& chart) {
  constexpr double kWidth = 340, kHeight = 150, kLeft = 6, kRight = 6, kTop = 20, kBottom = 22;
  constexpr double right = kWidth - kRight, base = kHeight - kBottom;
  const double low = placed(chart.scale, chart.low), high = placed(chart.scale, chart.high);
  const double span = high > low ? high - low : 1;
  const auto x = [&](double value) {
    return kLeft +
           std::clamp((placed(chart.scale, value) - low) / span, 0.0, 1.0) * (right - kLeft);
  };
  Svg svg(
      {.width = kWidth, .height = kHeight, .css = "chart hist", .labelled_by = chart.labelled_by});
  const auto n = static_cast<double>(std::max<size_t>(1, chart.bins.size()));
  int64_t most = 1;
  for (const int64_t count : chart.bins) most = std::max(most, count);
  const double pitch = (right - kLeft) / n;
  for (size_t i = 0; i < chart.bins.size(); ++i) {
    if (chart.bins[i] == 0) continue;
    const double from = value_at(chart.scale, low + span * static_cast<double>(i) / n);
    const double to = value_at(chart.scale, low + span * static_cast<double>(i + 1) / n);
    bool beyond = false;
    for (const auto& limit : chart.limits)
      beyond |= limit.drops == HistogramChart::Drops::below ? to <= limit.at : from >= limit.at;
    // A single document among many is still seen.
    const double height = std::max(
        1.5, (base - kTop) * static_cast<double>(chart.bins[i]) / static_cast<double>(most));
    svg.rect({kLeft + pitch * static_cast<double>(i) + 0.5, base - height, std::max(1.0, pitch - 1),
              height},
             beyond ? "bar beyond" : "bar s0", 0,
             significant(from) + " – " + significant(to) + ": " + grouped(chart.bins[i]));
  }
  svg.line({kLeft, base}, {right, base}, "axis");
  for (const double value : tick_values(chart)) {
    const double at = x(value);
    svg.line({at, base}, {at, base + 3}, "axis");
    svg.label({at, base + 16}, value >= 10000 ? short_count(value) : significant(value),
              at < kLeft + 14   ? "tick"
              : at > right - 14 ? "tick end"
                                : "tick mid");
  }
  for (const auto& limit : chart.limits) {
    const double at = x(limit.at);
    svg.line({at, kTop - 4}, {at, base}, "mark");
    svg.label({at, kTop - 8}, limit.label,
              at < kLeft + 24   ? "note"
              : at > right - 24 ? "note end"
                                : "note mid");
  }
  return svg.finish();
}

}  // namespace helio::report
