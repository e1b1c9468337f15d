#include <algorithm>
#include <cmath>

#include "report/charts.h"
#include "report/format.h"

namespace helio::report {
namespace {

// The longest way from a source: a node stands right of everything it was made from.
std::vector<size_t> columns_of(const Graph& graph) {
  std::vector<size_t> column(graph.nodes.size(), 0);
  for (size_t round = 0; round < graph.nodes.size(); ++round) {  // ends: a graph of hashes has no circle
    bool moved = false;
    for (const auto& [from, to] : graph.edges)
      if (column[to] < column[from] + 1 && column[from] + 1 < graph.nodes.size()) {
        column[to] = column[from] + 1;
        moved = true;
      }
    if (!moved) break;
  }
  // A source moves right, next to what uses it first, so that no line crosses the whole page.
  std::vector<bool> has_input(graph.nodes.size());
  for (const auto& [from, to] : graph.edges) has_input[to] = true;
  for (size_t i = 0; i < column.size(); ++i) {
    if (has_input[i]) continue;
    size_t first = graph.nodes.size();
    for (const auto& [from, to] : graph.edges)
      if (from == i) first = std::min(first, column[to]);
    if (first < graph.nodes.size() && first > 0) column[i] = first - 1;
  }
  return column;
}

// Order within columns by the mean place of neighbours, a few sweeps to and fro.
std::vector<std::vector<size_t>> rows_of(const Graph& graph, const std::vector<size_t>& column) {
  std::vector<std::vector<size_t>> rows(column.empty() ? 0 : 1 + *std::max_element(column.begin(), column.end()));
  for (size_t i = 0; i < column.size(); ++i) rows[column[i]].push_back(i);
  std::vector<double> place(column.size());
  const auto settle = [&](const std::vector<size_t>& nodes) {
    for (size_t row = 0; row < nodes.size(); ++row)
      place[nodes[row]] = static_cast<double>(row) - static_cast<double>(nodes.size() - 1) / 2;
  };
  for (const auto& nodes : rows) settle(nodes);
  for (int sweep = 0; sweep < 6; ++sweep)
    for (size_t k = 0; k < rows.size(); ++k) {
      auto& nodes = rows[sweep % 2 == 0 ? k : rows.size() - 1 - k];
      const auto pull = [&](size_t node) {
        double sum = 0, count = 0;
        for (const auto& [from, to] : graph.edges)
          if (from == node || to == node) {
            sum += place[from == node ? to : from];
            ++count;
          }
        return count > 0 ? sum / count : place[node];
      };
      std::vector<std::pair<double, size_t>> keyed;
      for (const size_t node : nodes) keyed.emplace_back(pull(node), node);
      std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      for (size_t i = 0; i < nodes.size(); ++i) nodes[i] = keyed[i].second;
      settle(nodes);
    }
  return rows;
}

}  // namespace

Markup draw(const Graph& graph) {
  constexpr double kNode = 112, kHigh = 38, kAcross = 150, kDown = 56, kEdge = 8;
  const auto column = columns_of(graph);
  const auto rows = rows_of(graph, column);
  size_t tallest = 1;
  for (const auto& nodes : rows) tallest = std::max(tallest, nodes.size());
  const double height = kEdge * 2 + kDown * static_cast<double>(tallest) - (kDown - kHigh);
  const double width = kEdge * 2 + kAcross * static_cast<double>(std::max<size_t>(rows.size(), 1)) - (kAcross - kNode);
  std::vector<Point> corner(graph.nodes.size());
  for (size_t c = 0; c < rows.size(); ++c) {
    const double used = kDown * static_cast<double>(rows[c].size()) - (kDown - kHigh);
    for (size_t r = 0; r < rows[c].size(); ++r)
      corner[rows[c][r]] = {kEdge + kAcross * static_cast<double>(c), (height - used) / 2 + kDown * static_cast<double>(r)};
  }
  Svg svg({.width = width, .height = height, .css = "chart dag", .labelled_by = graph.labelled_by});
  for (const auto& [from, to] : graph.edges) {
    const Point a{corner[from].x + kNode, corner[from].y + kHigh / 2}, b{corner[to].x, corner[to].y + kHigh / 2};
    const double bend = std::max(18.0, std::min(60.0, (b.x - a.x) / 2));
    svg.path(Path().move(a).curve({a.x + bend, a.y}, {b.x - bend, b.y}, b), "edge",
             graph.nodes[from].name + " → " + graph.nodes[to].name);
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& node = graph.nodes[i];
    const Point p = corner[i];
    svg.rect({p.x, p.y, kNode, kHigh}, "node k-" + node.kind, 6, node.tip);
    svg.label({p.x + 10, p.y + 16}, fit(node.name, kNode - 18, 12), "nodename", node.tip);
    svg.label({p.x + 10, p.y + 30}, fit(node.kind, kNode - 18, 10.5), "nodekind");
  }
  return svg.finish();
}

}  // namespace helio::report
