#include <algorithm>
#include <cmath>
#include <numbers>

#include "report/charts.h"
#include "report/format.h"

namespace helio::report {

Markup meter(double share, std::string_view css) {
  Svg svg({.width = 100, .height = 8, .css = "meter", .fit = Svg::Frame::Fit::stretched});
  const double width = std::clamp(share, 0.0, 1.0) * 100;
  svg.rect({0, 0, 100, 8}, "rest");
  if (width > 0) svg.rect({0, 0, width, 8}, css);
  return svg.finish();
}

Markup draw(const BarChart& chart) {
  constexpr double kWidth = 340, kName = 118, kValue = 58, kPitch = 24, kTop = 4;
  const double left = kName, right = kWidth - kValue,
               height = kTop * 2 + kPitch * static_cast<double>(chart.rows.size());
  const double span = chart.high > chart.low ? chart.high - chart.low : 1;
  const auto x = [&](double value) {
    return left + std::clamp((value - chart.low) / span, 0.0, 1.0) * (right - left);
  };
  Svg svg(
      {.width = kWidth, .height = height, .css = "chart bars", .labelled_by = chart.labelled_by});
  double y = kTop;
  for (const BarRow& row : chart.rows) {
    const double middle = y + kPitch / 2;
    svg.label({left - 8, middle + 4}, fit(row.name, kName - 12, 12), "barname end", row.name);
    if (row.value) {
      svg.rect({left, middle - 6, std::max(1.0, x(*row.value) - left), 12}, "bar " + row.css, 2,
               row.tip);
      if (row.interval) {
        const double a = x(row.interval->low), b = x(row.interval->high);
        svg.path(Path()
                     .move({a, middle - 3})
                     .line({a, middle + 3})
                     .move({a, middle})
                     .line({b, middle})
                     .move({b, middle - 3})
                     .line({b, middle + 3}),
                 "whisker");
      }
    } else {
      svg.line({left, middle}, {right, middle}, "absent");
    }
    svg.label({kWidth - 2, middle + 4}, row.shown,
              row.value ? "barvalue end" : "barvalue faint end", row.tip);
    y += kPitch;
  }
  svg.line({left, kTop}, {left, height - kTop}, "axis");
  if (chart.level) svg.line({x(*chart.level), kTop}, {x(*chart.level), height - kTop}, "level");
  return svg.finish();
}

Markup draw(const RadarChart& chart) {
  constexpr double kWidth = 420, kHeight = 350, kRadius = 122;
  const Point center{kWidth / 2, kHeight / 2 + 2};
  const size_t n = chart.axes.size();
  const auto at = [&](size_t axis, double value) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(axis) / static_cast<double>(n) -
                         std::numbers::pi / 2;
    return Point{center.x + std::cos(angle) * value * kRadius,
                 center.y + std::sin(angle) * value * kRadius};
  };
  // Neighbours that both have a value are joined; a task that did not run leaves the ring open.
  const auto ring = [&](const std::vector<std::optional<double>>& values) {
    Path path;
    for (size_t i = 0; i < n; ++i) {
      const size_t next = (i + 1) % n;
      if (values[i] && values[next]) path.move(at(i, *values[i])).line(at(next, *values[next]));
    }
    return path;
  };
  Svg svg(
      {.width = kWidth, .height = kHeight, .css = "chart radar", .labelled_by = chart.labelled_by});
  for (const double level : {0.25, 0.5, 0.75, 1.0}) {
    Path path;
    for (size_t i = 0; i < n; ++i) i == 0 ? path.move(at(i, level)) : path.line(at(i, level));
    svg.path(path.close(), "grid");
  }
  for (size_t i = 0; i < n; ++i) {
    svg.line(center, at(i, 1), "grid");
    const Point p = at(i, 1.12);
    const bool middle = std::abs(p.x - center.x) < 12;
    svg.label({p.x, p.y + (p.y > center.y ? 8 : 2)}, fit(chart.axes[i], 92, 12),
              middle           ? "axisname mid"
              : p.x < center.x ? "axisname end"
                               : "axisname",
              chart.axes[i]);
  }
  svg.path(ring(chart.chance), "level");
  for (const auto& one : chart.rings) {
    svg.path(ring(one.values), "line " + one.css, one.name);
    for (size_t i = 0; i < n; ++i)
      if (one.values[i])
        svg.circle(at(i, *one.values[i]), 2.6, "dot " + one.css,
                   one.name + " · " + chart.axes[i] + " " + percent(*one.values[i]));
  }
  for (const double level : {0.25, 0.5, 0.75, 1.0}) {
    // Between two corners, where the rings cross no axis.
    const double angle = std::numbers::pi * (1.0 / static_cast<double>(n) - 0.5),
                 reach = level * kRadius * std::cos(std::numbers::pi / static_cast<double>(n));
    svg.label({center.x + std::cos(angle) * reach + 4, center.y + std::sin(angle) * reach + 2},
              percent(level, 0), "tick");
  }
  return svg.finish();
}

}  // namespace helio::report
