#include "report/charts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "report/readers.h"

namespace helio::report {
namespace {

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

TEST(Ticks, AreRoundAndInside) {
  EXPECT_EQ(ticks(0, 10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(ticks(-0.1, 0.25, 3), (std::vector<double>{0, 0.2}));
  EXPECT_TRUE(ticks(1, 1, 5).empty());
  for (const double value : ticks(3.17, 9.4, 6)) EXPECT_TRUE(value >= 3.17 && value <= 9.4);
}

TEST(Decimate, KeepsTheEndsAndEveryColumnsLowAndHigh) {
  Samples points;
  for (int i = 0; i < 100'000; ++i) points.push_back({double(i), std::sin(i * 0.37)});
  points[31'234].value = 9;
  points[77'777].value = -9;
  const Samples kept = decimate(points, 200);
  EXPECT_LE(kept.size(), 800u);
  EXPECT_EQ(kept.front().step, 0);
  EXPECT_EQ(kept.back().step, 99'999);
  double low = 0, high = 0;
  for (size_t i = 0; i < kept.size(); ++i) {
    low = std::min(low, kept[i].value);
    high = std::max(high, kept[i].value);
    if (i > 0) {
      EXPECT_GT(kept[i].step, kept[i - 1].step);
    }
  }
  EXPECT_EQ(low, -9);
  EXPECT_EQ(high, 9);
}

TEST(Decimate, LeavesFewPointsAlone) {
  const Samples points = {{1, 2}, {2, 3}, {3, 1}};
  EXPECT_EQ(decimate(points, 10).size(), 3u);
  EXPECT_EQ(decimate(Samples(5000, Sample{.step = 4, .value = 1}), 10).size(),
            2u);  // no width to cut
}

TEST(Wilson, HasThePublishedIntervals) {
  const Interval half = wilson(0.5, 100);
  EXPECT_NEAR(half.low, 0.40383, 1e-5);
  EXPECT_NEAR(half.high, 0.59617, 1e-5);
  const Interval none = wilson(0, 10);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.27753, 1e-5);
}

Upscaling solar(int64_t layers, int64_t drop) {
  Upscaling up{.stage = "up", .base_layers = layers, .drop = drop, .seam = layers - drop};
  for (int64_t i = 0; i < layers - drop; ++i) {
    up.layer_map.push_back(i);
    up.layer_copy.push_back(1);
  }
  for (int64_t i = drop; i < layers; ++i) {
    up.layer_map.push_back(i);
    up.layer_copy.push_back(2);
  }
  return up;
}

TEST(LayerMap, GreysWhatIsDroppedAndLinksWhatIsKept) {
  const std::string svg = draw_layer_map(solar(32, 8), "id").str();
  EXPECT_EQ(count(svg, "class=\"dropped\""), 16u);
  EXPECT_EQ(count(svg, "class=\"link"), 48u);
  EXPECT_EQ(count(svg, "class=\"copy1 new\""), 24u);
  EXPECT_EQ(count(svg, "class=\"copy2 new\""), 24u);
  EXPECT_EQ(count(svg, "class=\"seam\""), 1u);
  // Every line from a kept layer to the new one is upright.
  const std::regex link("class=\"link[^\"]*\" x1=\"([0-9.]+)\" y1=\"[0-9.]+\" x2=\"([0-9.]+)\"");
  for (auto it = std::sregex_iterator(svg.begin(), svg.end(), link); it != std::sregex_iterator();
       ++it)
    EXPECT_EQ((*it)[1], (*it)[2]);
}

TEST(LayerMap, DrawsInterleavedLayersFromOneRow) {
  Upscaling up{.stage = "up", .base_layers = 4};
  up.layer_map = {0, 1, 1, 2, 3, 3};
  up.layer_copy = {1, 1, 2, 1, 1, 2};
  up.identity = {2, 5};
  EXPECT_FALSE(up.two_copies());
  EXPECT_TRUE(solar(32, 8).two_copies());
  const std::string svg = draw_layer_map(up, "id").str();
  EXPECT_EQ(count(svg, "class=\"link"), 6u);
  EXPECT_EQ(count(svg, "class=\"copy1 new\""), 4u);
  EXPECT_EQ(count(svg, "class=\"copy2 identity new\""), 2u);
  EXPECT_EQ(count(svg, "class=\"dropped\""), 0u);
  EXPECT_EQ(count(svg, "class=\"seam\""), 0u);
}

TEST(LineChart, DrawsNothingFromNothingAndAFlatLine) {
  LineChart chart{.labelled_by = "id", .x_label = same("x"), .y_label = same("y")};
  EXPECT_EQ(count(draw(chart).str(), "<path"), 0u);
  chart.lines.push_back({.css = "s0", .points = {{0, 3}, {1, 3}}});
  EXPECT_EQ(count(draw(chart).str(), "<path"), 1u);
}

TEST(Radar, LeavesAGapWhereATaskDidNotRun) {
  RadarChart chart{.axes = {"a", "b", "c"},
                   .rings = {{.name = "m", .css = "s0", .values = {0.5, std::nullopt, 0.7}}},
                   .chance = {0.25, 0.25, 0.25}};
  const std::string svg = draw(chart).str();
  EXPECT_EQ(count(svg, "class=\"dot"), 2u);
  const std::regex ring("class=\"line s0\" d=\"([^\"]*)\"");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(svg, found, ring));
  EXPECT_EQ(count(found[1], "L"), 1u);  // of three sides one has both ends
}

TEST(Graph, SetsWhatIsMadeBelowWhatItIsMadeFrom) {
  Graph graph{.nodes = {{.name = "third", .kind = "model", .column = 5},
                        {.name = "first", .kind = "model", .column = 5},
                        {.name = "second", .kind = "model", .column = 5},
                        {.name = "data", .kind = "dataset", .column = 2}},
              .edges = {{1, 2}, {2, 0}, {3, 1}}};
  const std::string svg = draw(graph).str();
  EXPECT_LT(svg.find(">first<"), svg.npos);
  const auto y_of = [&](const std::string& name) {
    std::smatch found;
    const std::regex label("y=\"([0-9.]+)\">" + name + "<");
    EXPECT_TRUE(std::regex_search(svg, found, label));
    return std::stod(found[1]);
  };
  EXPECT_LT(y_of("first"), y_of("second"));
  EXPECT_LT(y_of("second"), y_of("third"));
  graph.edges.emplace_back(0, 1);  // a circle still ends
  EXPECT_FALSE(draw(graph).str().empty());
}

}  // namespace
}  // namespace helio::report
