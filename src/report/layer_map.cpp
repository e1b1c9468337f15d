#include <algorithm>

#include "report/charts.h"
#include "report/format.h"

namespace helio::report {
namespace {

// More copies, interleaved layers or slices of any plan: the base in one row, the new model below.
Markup draw_any_layers(const Upscaling& up, const std::string& labelled_by) {
  constexpr double kLeft = 96, kWidth = 1100, kRow = 34, kTop = 16, kNew = 128, kHeight = 176;
  const auto columns = static_cast<double>(up.layer_map.size());
  const double pitch =
      (kWidth - kLeft - 12) / std::max({columns, static_cast<double>(up.base_layers), 1.0});
  const double gap = pitch > 14 ? 3 : pitch > 6 ? 1.5 : 0.5;
  const double inset = (columns - static_cast<double>(up.base_layers)) / 2;
  const auto column = [&](double i) { return kLeft + (i + std::max(0.0, -inset)) * pitch; };
  const double first = std::max(0.0, inset);  // of the base, which stands above the middle
  Svg svg({.width = kWidth, .height = kHeight, .css = "chart layers", .labelled_by = labelled_by});
  svg.label({kLeft - 12, kTop + 22}, say("dus.source"), "rowname end");
  svg.label({kLeft - 12, kNew + 22}, say("dus.new"), "rowname strong end");
  const auto draw_box = [&](double i, double y, const char* css, int64_t number,
                            const std::string& title, const char* label) {
    const Box at{column(i) + gap / 2, y, pitch - gap, kRow};
    svg.rect(at, css, 3, title);
    if (pitch >= 17) svg.label({at.x + at.width / 2, at.y + 21.5}, std::to_string(number), label);
  };
  for (int64_t layer = 0; layer < up.base_layers; ++layer) {
    const bool kept = std::count(up.layer_map.begin(), up.layer_map.end(), layer) > 0;
    draw_box(first + static_cast<double>(layer), kTop, kept ? "copy1" : "dropped", layer,
             std::to_string(layer), kept ? "boxno mid" : "boxno gone mid");
  }
  for (size_t i = 0; i < up.layer_map.size(); ++i) {
    const bool original = up.layer_copy[i] == 1;
    const bool identity = std::count(up.identity.begin(), up.identity.end(), i) > 0;
    const double from = column(first + static_cast<double>(up.layer_map[i])) + pitch / 2;
    svg.line({from, kTop + kRow}, {column(static_cast<double>(i)) + pitch / 2, kNew},
             original ? "link copy1" : "link copy2");
    draw_box(static_cast<double>(i), kNew,
             identity   ? "copy2 identity new"
             : original ? "copy1 new"
                        : "copy2 new",
             static_cast<int64_t>(i),
             std::to_string(i) + " ← " + std::to_string(up.layer_map[i]) + " (" +
                 std::to_string(up.layer_copy[i]) + ")",
             "boxno new mid");
  }
  return svg.finish();
}

}  // namespace

bool Upscaling::two_copies() const {
  const auto layers = static_cast<int64_t>(layer_map.size());
  if (seam < 1 || seam >= layers || !identity.empty()) return false;
  for (int64_t i = 0; i < layers; ++i) {
    const auto at = static_cast<size_t>(i);
    const bool first = i < seam;
    if (layer_copy[at] != (first ? 1 : 2)) return false;
    if (layer_map[at] != (first ? i : i - (layers - base_layers))) return false;
  }
  return true;
}

// Columns are the new model's layers. Copy 1 begins at the first column, copy 2 ends at the last:
// every kept layer then stands straight above or below the new layer it becomes, and the dropped
// ones hang over the seam.
Markup draw_layer_map(const Upscaling& up, const std::string& labelled_by) {
  if (!up.two_copies()) return draw_any_layers(up, labelled_by);
  constexpr double kLeft = 96, kWidth = 1100, kRow = 34, kTop = 24, kMiddle = 108, kBottom = 192,
                   kHeight = 262;
  const auto columns = static_cast<double>(up.layer_map.size());
  const double pitch = (kWidth - kLeft - 12) / std::max(columns, 1.0);
  const double gap = pitch > 14 ? 3 : pitch > 6 ? 1.5 : 0.5;
  const bool numbered = pitch >= 17;
  const auto column = [&](double i) { return kLeft + i * pitch; };
  const auto box = [&](double i, double y) {
    return Box{column(i) + gap / 2, y, pitch - gap, kRow};
  };

  Svg svg({.width = kWidth, .height = kHeight, .css = "chart layers", .labelled_by = labelled_by});
  svg.label({kLeft - 12, kTop + 22}, say("dus.copy1"), "rowname end");
  svg.label({kLeft - 12, kMiddle + 22}, say("dus.new"), "rowname strong end");
  svg.label({kLeft - 12, kBottom + 22}, say("dus.copy2"), "rowname end");

  const auto draw_copy = [&](int64_t copy, double y) {
    const double offset = copy == 1 ? 0 : columns - static_cast<double>(up.base_layers);
    for (int64_t layer = 0; layer < up.base_layers; ++layer) {
      bool kept = false;
      for (size_t i = 0; i < up.layer_map.size(); ++i)
        kept = kept || (up.layer_copy[i] == copy && up.layer_map[i] == layer);
      const double i = offset + static_cast<double>(layer);
      const Box at = box(i, y);
      svg.rect(at, kept ? (copy == 1 ? "copy1" : "copy2") : "dropped", 3, std::to_string(layer));
      if (numbered)
        svg.label({at.x + at.width / 2, at.y + 21.5}, std::to_string(layer),
                  kept ? "boxno mid" : "boxno gone mid");
    }
  };
  draw_copy(1, kTop);
  draw_copy(2, kBottom);
  for (size_t i = 0; i < up.layer_map.size(); ++i) {
    const bool first = up.layer_copy[i] == 1;
    const double offset = first ? 0 : columns - static_cast<double>(up.base_layers);
    const double from = column(offset + static_cast<double>(up.layer_map[i])) + pitch / 2;
    const double to = column(static_cast<double>(i)) + pitch / 2;
    svg.line({from, first ? kTop + kRow : kBottom}, {to, first ? kMiddle : kMiddle + kRow},
             first ? "link copy1" : "link copy2");
    const Box at = box(static_cast<double>(i), kMiddle);
    svg.rect(
        at, first ? "copy1 new" : "copy2 new", 3,
        std::to_string(i) + " ← " + std::to_string(up.layer_map[i]) + (first ? " (1)" : " (2)"));
    if (numbered) svg.label({at.x + at.width / 2, at.y + 21.5}, std::to_string(i), "boxno new mid");
  }
  const double seam = column(static_cast<double>(up.seam));
  svg.line({seam, kTop - 12}, {seam, kBottom + kRow + 10}, "seam");
  svg.label({seam, kBottom + kRow + 24}, say("dus.seam"), "seamname mid");
  return svg.finish();
}

}  // namespace helio::report
