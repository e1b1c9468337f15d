// A drawing in user units with the styles of the page: geometry here, colours in style.cpp by
// class.
#pragma once

#include <string>
#include <string_view>

#include "report/markup.h"
#include "report/text.h"

namespace helio::report {

struct Point {
  double x = 0, y = 0;
};

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

class Path {
 public:
  Path& move(Point to);
  Path& line(Point to);
  Path& curve(Point control_1, Point control_2, Point to);  // cubic
  Path& close();
  const std::string& data() const { return data_; }

 private:
  std::string data_;
};

class Svg {
 public:
  struct Frame {
    double width = 0, height = 0;
    std::string css = {};
    std::string labelled_by = {};  // id of the element that names the drawing for screen readers
    enum class Fit {
      whole,
      stretched
    } fit = Fit::whole;  // stretched: fills its place, shape or not
  };
  explicit Svg(const Frame& frame);

  // `tip` is shown on hover and read aloud.
  Svg& rect(const Box& box, std::string_view css, double radius = 0, std::string_view tip = {});
  Svg& line(Point from, Point to, std::string_view css);
  Svg& path(const Path& path, std::string_view css, std::string_view tip = {});
  Svg& circle(Point center, double radius, std::string_view css, std::string_view tip = {});
  // Classes place it: "mid" and "end" set the anchor.
  Svg& label(Point at, std::string_view text, std::string_view css = {}, std::string_view tip = {});
  Svg& label(Point at, const Text& text, std::string_view css = {});
  Svg& turned_label(Point at, const Text& text, std::string_view css = {});  // reads upwards
  Markup finish();

 private:
  void shape(std::string_view tag, Attributes attributes, std::string_view tip);
  Markup out_;
};

}  // namespace helio::report
