#include <algorithm>
#include <cmath>
#include <map>

#include "report/charts.h"
#include "report/format.h"

namespace helio::report {
namespace {

using Columns = std::vector<std::vector<size_t>>;

// Nodes by column; columns that nobody is in are left out.
Columns columns_of(const Graph& graph) {
  std::map<int, std::vector<size_t>> by_number;
  for (size_t i = 0; i < graph.nodes.size(); ++i) by_number[graph.nodes[i].column].push_back(i);
  Columns columns;
  for (auto& [number, nodes] : by_number) columns.push_back(std::move(nodes));
  return columns;
}

// Within a column, how many steps a node is from the first it comes from there.
std::vector<int> depths_of(const Graph& graph) {
  std::vector<int> depth(graph.nodes.size(), 0);
  for (size_t round = 0; round < graph.nodes.size(); ++round) {
    bool moved = false;
    for (const auto& [from, to] : graph.edges) {
      if (graph.nodes[from].column != graph.nodes[to].column || depth[to] > depth[from]) continue;
      depth[to] = depth[from] + 1;
      moved = true;
    }
    if (!moved) break;  // hashes make no circles; were there one, the rounds would end it
  }
  return depth;
}

// Rows: what is made from what stands below it, else by the mean place of the neighbours to the
// right and left, swept a few times to and fro.
void order_rows(const Graph& graph, Columns& columns) {
  const std::vector<int> depth = depths_of(graph);
  std::vector<double> place(graph.nodes.size());
  const auto settle = [&](const std::vector<size_t>& nodes) {
    for (size_t row = 0; row < nodes.size(); ++row)
      place[nodes[row]] = static_cast<double>(row) - static_cast<double>(nodes.size() - 1) / 2;
  };
  for (auto& nodes : columns) {
    std::stable_sort(nodes.begin(), nodes.end(),
                     [&](size_t a, size_t b) { return depth[a] < depth[b]; });
    settle(nodes);
  }
  for (size_t sweep = 0; sweep < 6; ++sweep)
    for (size_t k = 0; k < columns.size(); ++k) {
      auto& nodes = columns[sweep % 2 == 0 ? k : columns.size() - 1 - k];
      std::vector<double> pull(graph.nodes.size());
      for (const size_t node : nodes) {
        double sum = 0, count = 0;
        for (const auto& [from, to] : graph.edges)
          if (from == node || to == node) {
            sum += place[from == node ? to : from];
            ++count;
          }
        pull[node] = count > 0 ? sum / count : place[node];
      }
      std::stable_sort(nodes.begin(), nodes.end(), [&](size_t a, size_t b) {
        return depth[a] != depth[b] ? depth[a] < depth[b] : pull[a] < pull[b];
      });
      settle(nodes);
    }
}

// From side to side between columns; down, or round the right side, within one.
Path edge_path(Point from, Point to, Point size, double down) {
  if (from.x != to.x) {
    const Point a{from.x + size.x, from.y + size.y / 2}, b{to.x, to.y + size.y / 2};
    const double bend = std::max(14.0, std::min(60.0, std::abs(b.x - a.x) / 2));
    return Path().move(a).curve({a.x + bend, a.y}, {b.x - bend, b.y}, b);
  }
  const bool next = to.y - from.y < down * 1.5 && to.y > from.y;
  if (next)
    return Path().move({from.x + size.x / 2, from.y + size.y}).line({to.x + size.x / 2, to.y});
  const Point a{from.x + size.x, from.y + size.y / 2}, b{to.x + size.x, to.y + size.y / 2};
  return Path().move(a).curve({a.x + 26, a.y}, {b.x + 26, b.y}, b);
}

}  // namespace

Markup draw(const Graph& graph) {
  constexpr double kWidth = 1104, kHigh = 38, kDown = 54, kEdge = 4;
  Columns columns = columns_of(graph);
  order_rows(graph, columns);
  size_t tallest = 1;
  for (const auto& nodes : columns) tallest = std::max(tallest, nodes.size());
  // Six or seven columns fill the page; more make the picture wider, not its letters smaller.
  const double count = static_cast<double>(std::max<size_t>(columns.size(), 1));
  const double node = 116,
               across =
                   std::max(node + 34, count > 1 ? (kWidth - 2 * kEdge - node) / (count - 1) : 0);
  const double height = kEdge * 2 + kDown * static_cast<double>(tallest) - (kDown - kHigh);
  const double width = std::max(kWidth, kEdge * 2 + across * (count - 1) + node);
  std::vector<Point> corner(graph.nodes.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    const double used = kDown * static_cast<double>(columns[c].size()) - (kDown - kHigh);
    for (size_t r = 0; r < columns[c].size(); ++r)
      corner[columns[c][r]] = {kEdge + across * static_cast<double>(c),
                               (height - used) / 2 + kDown * static_cast<double>(r)};
  }
  Svg svg({.width = width, .height = height, .css = "chart dag", .labelled_by = graph.labelled_by});
  for (const auto& [from, to] : graph.edges)
    svg.path(edge_path(corner[from], corner[to], {node, kHigh}, kDown), "edge",
             graph.nodes[from].name + " → " + graph.nodes[to].name);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& one = graph.nodes[i];
    const Point p = corner[i];
    svg.rect({p.x, p.y, node, kHigh}, "node k-" + one.kind, 6, one.tip);
    svg.label({p.x + 10, p.y + 16}, fit(one.name, node - 16, 12), "nodename", one.tip);
    svg.label({p.x + 10, p.y + 30}, fit(one.kind, node - 16, 10.5), "nodekind");
  }
  return svg.finish();
}

}  // namespace helio::report
