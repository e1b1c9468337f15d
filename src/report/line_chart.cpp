#include <algorithm>
#include <cmath>
#include <limits>

#include "report/charts.h"
#include "report/format.h"

namespace helio::report {
namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

struct Scale {
  double from = 0, to = 1, at = 0, size = 1;
  double operator()(double value) const { return at + (value - from) / (to - from) * size; }
};

Range x_range(const LineChart& chart) {
  if (chart.end && *chart.end > 0) return {.low = 0, .high = *chart.end};
  Range range;
  for (const auto& line : chart.lines)
    for (const Sample& p : line.points) range.add(p.step);
  for (const auto& dots : chart.dots)
    for (const Sample& p : dots.points) range.add(p.step);
  for (const auto& span : chart.spans) {
    range.add(span.from);
    range.add(span.to);
  }
  if (range.empty()) range = {.low = 0, .high = 1};
  if (range.low == range.high) range.high = range.low + 1;
  return range;
}

Range y_range(const LineChart& chart) {
  Range range;
  for (const auto& line : chart.lines)
    for (const Sample& p : line.points) range.add(p.value);
  for (const auto& dots : chart.dots)
    for (const Sample& p : dots.points) range.add(p.value);
  if (chart.level) range.add(*chart.level);
  if (range.empty()) range = {.low = 0, .high = 1};
  if (range.low == range.high) {
    const double room = range.low == 0 ? 1 : std::abs(range.low) * 0.1;
    range = {.low = range.low - room, .high = range.high + room};
  }
  const double room = (range.high - range.low) * 0.06;
  range = {.low = range.low - room, .high = range.high + room};
  if (chart.low) range.low = *chart.low;
  if (chart.high) range.high = *chart.high;
  return range;
}

Path path_of(const Samples& points, const Scale& x, const Scale& y) {
  Path path;
  for (size_t i = 0; i < points.size(); ++i) {
    const Point p{x(points[i].step), y(points[i].value)};
    i == 0 ? path.move(p) : path.line(p);
  }
  return path;
}

}  // namespace

std::vector<double> ticks(double low, double high, int count) {
  if (!(high > low) || count < 1) return {};
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double factor : {1.0, 2.0, 5.0})
    if (power * factor >= rough * 0.999) {
      step = power * factor;
      break;
    }
  std::vector<double> found;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i)
    found.push_back(i == 0 ? 0 : i * step);
  return found;
}

Samples decimate(const Samples& points, int columns) {
  if (columns < 1 || points.size() <= static_cast<size_t>(columns) * 4) return points;
  const double first = points.front().step, width = (points.back().step - first) / columns;
  Samples kept;
  for (size_t begin = 0; begin < points.size();) {
    const auto column = [&](const Sample& p) {
      return width > 0 ? std::min(columns - 1, static_cast<int>((p.step - first) / width)) : 0;
    };
    size_t end = begin, low = begin, high = begin;
    for (; end < points.size() && column(points[end]) == column(points[begin]); ++end) {
      if (points[end].value < points[low].value) low = end;
      if (points[end].value > points[high].value) high = end;
    }
    std::vector<size_t> chosen = {begin, low, high, end - 1};
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (const size_t i : chosen) kept.push_back(points[i]);
    begin = end;
  }
  return kept;
}

Markup draw(const LineChart& chart) {
  constexpr double kLeft = 58, kRight = 14;
  const bool named = !chart.spans.empty(), axis = !chart.x_label.en.empty();
  const double top = named ? 30 : 12, bottom = axis ? 44 : 10;
  const Range xs = x_range(chart), ys = y_range(chart);
  const Scale x{xs.low, xs.high, kLeft, chart.width - kLeft - kRight};
  const Scale y{ys.low, ys.high, chart.height - bottom, -(chart.height - top - bottom)};
  const double floor = chart.height - bottom, end = chart.width - kRight;

  Svg svg({.width = chart.width,
           .height = chart.height,
           .css = "chart",
           .labelled_by = chart.labelled_by});
  for (const double value : ticks(ys.low, ys.high, chart.y_ticks)) {
    svg.line({kLeft, y(value)}, {end, y(value)}, "grid");
    svg.label({kLeft - 8, y(value) + 4}, significant(value), "tick end");
  }
  if (axis) {
    svg.line({kLeft, floor}, {end, floor}, "axis");
    for (const double value : ticks(xs.low, xs.high, 8)) {
      svg.line({x(value), floor}, {x(value), floor + 4}, "axis");
      svg.label({x(value), floor + 18}, significant(value), "tick mid");
    }
    svg.label({end, chart.height - 6}, chart.x_label, "note end");
  }
  if (!chart.y_label.en.empty())
    svg.turned_label({13, (top + floor) / 2}, chart.y_label, "note mid");
  if (chart.level) svg.line({kLeft, y(*chart.level)}, {end, y(*chart.level)}, "level");
  for (const auto& span : chart.spans) {
    const double room = x(span.to) - x(span.from) - 8;
    svg.line({x(span.from) + 1, 22}, {x(span.to) - 1, 22}, "span " + span.css);
    svg.label({(x(span.from) + x(span.to)) / 2, 15},
              Text{.en = fit(span.label.en, room, 12), .ko = fit(span.label.ko, room, 12)},
              "spanname mid " + span.css);
  }
  for (const auto& mark : chart.marks) {
    svg.line({x(mark.x), named ? 22 : top}, {x(mark.x), floor}, "mark");
    svg.label({x(mark.x) + 6, top + 14}, mark.label, "note");
  }
  for (const auto& line : chart.lines)
    if (!line.points.empty())
      svg.path(path_of(decimate(line.points, 240), x, y), "line " + line.css);
  for (const auto& dots : chart.dots)
    for (const Sample& p : decimate(dots.points, 40))
      svg.circle({x(p.step), y(p.value)}, 3.6, "dot " + dots.css,
                 dots.tip + " " + significant(p.value) + " @ " + significant(p.step));
  return svg.finish();
}

}  // namespace helio::report
