// The charts of the page: data in, a drawing out. Colours come by class ("s0" ... "s7" are the
// series), words by Text, so that one drawing serves both languages and both colour schemes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/markup.h"
#include "report/model.h"
#include "report/svg.h"

namespace helio::report {

// At most `count` round values covering [low, high].
std::vector<double> ticks(double low, double high, int count);

// At most four points for each of `columns` equal parts of the x range, among them the lowest and
// the highest: the drawn line looks as the full one would. Points must be in order of x.
Samples decimate(const Samples& points, int columns);

struct LineChart {
  struct Line {
    std::string css = {};
    Samples points = {};
  };
  struct Dots {
    std::string css = {};
    std::string tip = {};  // "held-out loss"; the value follows
    Samples points = {};
  };
  struct Mark {  // a vertical line where something changed
    double x = 0;
    std::string label = {};
  };
  struct Span {  // a name over a part of the x range
    double from = 0, to = 0;
    Text label = {};
    std::string css = {};
  };
  double width = 760, height = 300;
  std::string labelled_by = {};
  Text x_label = {}, y_label = {};
  std::vector<Line> lines = {};
  std::vector<Dots> dots = {};
  std::vector<Mark> marks = {};
  std::vector<Span> spans = {};
  std::optional<double> level = {};  // a horizontal line to compare with
  int y_ticks = 5;
  std::optional<double> low = {}, high = {};  // of y; else from the data
  std::optional<double> end = {};             // x from 0 to here; else from the data
};
Markup draw(const LineChart& chart);

// Two copies of the base's layers, one row each, over and under the new model's.
Markup draw_layer_map(const Upscaling& up, const std::string& labelled_by);

struct RadarChart {
  struct Ring {
    std::string name = {}, css = {};
    std::vector<std::optional<double>> values = {};  // one an axis, 0 to 1; a gap stays a gap
  };
  std::vector<std::string> axes = {};
  std::vector<Ring> rings = {};
  std::vector<std::optional<double>> chance = {};
  std::string labelled_by = {};
};
Markup draw(const RadarChart& chart);

struct BarRow {
  std::string name = {}, css = {}, tip = {};
  std::optional<double> value = {};
  std::optional<Interval> interval = {};
  std::string shown = {};
};
struct BarChart {
  std::vector<BarRow> rows = {};
  double low = 0, high = 1;
  std::optional<double> level = {};  // chance
  std::string labelled_by = {};
};
Markup draw(const BarChart& chart);

// How figures are spread, with the limits beyond which documents are dropped.
struct HistogramChart {
  enum class Scale { linear, log };  // log: equal parts of log10(1 + x)
  enum class Drops { above, below };
  struct Limit {
    double at = 0;
    Drops drops = Drops::above;
    std::string label = {};
  };
  std::vector<int64_t> bins = {};  // equal parts of [low, high]; the outer ones hold the rest
  double low = 0, high = 1;
  Scale scale = Scale::linear;
  std::vector<Limit> limits = {};
  std::string labelled_by = {};
};
Markup draw(const HistogramChart& chart);

// A share of the whole as a bar that fills its place: for cells of tables.
Markup meter(double share, std::string_view css);

// Artefacts from left (lots) to right, with what each was made from.
struct Graph {
  struct Node {
    std::string name = {}, kind = {}, tip = {};
    int column =
        0;  // from the left; nodes of one column that are made from one another stand in order
  };
  std::vector<Node> nodes = {};
  std::vector<std::pair<size_t, size_t>> edges = {};  // from what, to what was made of it
  std::string labelled_by = {};
};
Markup draw(const Graph& graph);

}  // namespace helio::report
