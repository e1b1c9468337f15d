#include "report/svg.h"

namespace helio::report {
namespace {

std::string pair(Point p) { return coordinate(p.x) + " " + coordinate(p.y); }

std::string joined(std::string_view css, std::string_view more) {
  return css.empty() ? std::string(more) : std::string(css) + " " + std::string(more);
}

}  // namespace

Path& Path::move(Point to) {
  data_ += "M" + pair(to);
  return *this;
}
Path& Path::line(Point to) {
  data_ += "L" + pair(to);
  return *this;
}
Path& Path::curve(Point control_1, Point control_2, Point to) {
  data_ += "C" + pair(control_1) + " " + pair(control_2) + " " + pair(to);
  return *this;
}
Path& Path::close() {
  data_ += "Z";
  return *this;
}

Svg::Svg(const Frame& frame) {
  out_.open("svg", {{"class", frame.css},
                    {"viewBox", "0 0 " + coordinate(frame.width) + " " + coordinate(frame.height)},
                    {"width", frame.width},
                    {"height", frame.height},
                    {"preserveAspectRatio", frame.fit == Frame::Fit::stretched ? "none" : ""},
                    {"role", "img"},
                    {"aria-labelledby", frame.labelled_by},
                    {"aria-hidden", frame.labelled_by.empty() ? "true" : ""}});
}

void Svg::shape(std::string_view tag, Attributes attributes, std::string_view tip) {
  if (tip.empty()) {
    out_.empty(tag, attributes);
    return;
  }
  out_.open(tag, attributes).element("title", {}, tip).close();
}

Svg& Svg::rect(const Box& box, std::string_view css, double radius, std::string_view tip) {
  shape("rect",
        {{"class", css},
         {"x", box.x},
         {"y", box.y},
         {"width", box.width},
         {"height", box.height},
         {"rx", radius > 0 ? coordinate(radius) : ""}},
        tip);
  return *this;
}

Svg& Svg::line(Point from, Point to, std::string_view css) {
  shape("line", {{"class", css}, {"x1", from.x}, {"y1", from.y}, {"x2", to.x}, {"y2", to.y}}, {});
  return *this;
}

Svg& Svg::path(const Path& path, std::string_view css, std::string_view tip) {
  shape("path", {{"class", css}, {"d", path.data()}}, tip);
  return *this;
}

Svg& Svg::circle(Point center, double radius, std::string_view css, std::string_view tip) {
  shape("circle", {{"class", css}, {"cx", center.x}, {"cy", center.y}, {"r", radius}}, tip);
  return *this;
}

Svg& Svg::label(Point at, std::string_view text, std::string_view css, std::string_view tip) {
  out_.open("text", {{"class", css}, {"x", at.x}, {"y", at.y}});
  if (!tip.empty()) out_.element("title", {}, tip);
  out_.text(text).close();
  return *this;
}

Svg& Svg::label(Point at, const Text& text, std::string_view css) {
  if (text.en == text.ko) return label(at, text.en, css);
  out_.element("text", {{"class", joined(css, "en")}, {"x", at.x}, {"y", at.y}}, text.en);
  out_.element("text", {{"class", joined(css, "ko")}, {"x", at.x}, {"y", at.y}}, text.ko);
  return *this;
}

Svg& Svg::turned_label(Point at, const Text& text, std::string_view css) {
  const std::string turn = "translate(" + pair(at) + ") rotate(-90)";
  if (text.en == text.ko) {
    out_.element("text", {{"class", css}, {"transform", turn}}, text.en);
    return *this;
  }
  out_.element("text", {{"class", joined(css, "en")}, {"transform", turn}}, text.en);
  out_.element("text", {{"class", joined(css, "ko")}, {"transform", turn}}, text.ko);
  return *this;
}

Markup Svg::finish() {
  out_.close();
  return std::move(out_);
}

}  // namespace helio::report
