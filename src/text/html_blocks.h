// The lines of a page as they are gathered while its tree is walked. Private to html_text.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace helio::text {

enum class Separation { none, line, blank_line };
enum class Inside { text, link };

class BlockWriter {
 public:
  explicit BlockWriter(double max_link_share) : max_link_share_(max_link_share) {}

  // White space collapses to one space, as a browser shows it.
  void flow(std::string_view text, Inside inside);
  // Kept as it stands, line ends included.
  void verbatim(std::string_view text);

  // Ends the block before; the next one stands at least so far apart from it.
  void separate(Separation by);
  // Put before the next block's first character: "- ", "3. ".
  void mark_item(std::string_view mark);
  void drop_item_mark() { mark_.clear(); }
  // The block being written is a heading: it stays even when it is all link.
  void mark_heading() { heading_ = true; }
  // Ends a table cell: the next text of this row stands behind " | ".
  void end_cell();

  std::string finish();

 private:
  void flush();

  double max_link_share_;
  std::string out_ = {}, block_ = {}, mark_ = {};
  size_t characters_ = 0, link_characters_ = 0;
  Separation pending_ = Separation::none;
  bool space_ = false, heading_ = false, cell_ = false;
};

}  // namespace helio::text
