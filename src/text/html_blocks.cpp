#include "text/html_blocks.h"

#include <algorithm>

namespace helio::text {
namespace {

bool is_html_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'; }

}  // namespace

void BlockWriter::flow(std::string_view text, Inside inside) {
  for (const char c : text) {
    if (is_html_space(c)) {
      space_ = true;
      continue;
    }
    if (cell_ && !block_.empty()) block_ += " | ";
    else if (space_ && !block_.empty() && block_.back() != '\n') block_ += ' ';
    cell_ = space_ = false;
    block_ += c;
    ++characters_;
    if (inside == Inside::link) ++link_characters_;
  }
}

void BlockWriter::verbatim(std::string_view text) {
  for (const char c : text) {
    if (c == '\r') continue;
    block_ += c;
    if (!is_html_space(c)) ++characters_;
  }
}

void BlockWriter::separate(Separation by) {
  flush();
  pending_ = std::max(pending_, by);
}

void BlockWriter::mark_item(std::string_view mark) { mark_ = mark; }

void BlockWriter::end_cell() {
  if (!block_.empty()) cell_ = true;
  space_ = false;
}

// A block that is nothing but links leads elsewhere and says nothing here.
void BlockWriter::flush() {
  const bool navigation = !heading_ && characters_ > 0 &&
                          double(link_characters_) >= max_link_share_ * double(characters_);
  size_t begin = block_.find_first_not_of('\n'), end = block_.find_last_not_of(" \t\n\f");
  if (characters_ > 0 && !navigation && begin != block_.npos) {
    if (!out_.empty()) out_ += pending_ == Separation::blank_line ? "\n\n" : "\n";
    out_ += mark_;
    out_.append(block_, begin, end + 1 - begin);
    pending_ = Separation::none;
    mark_.clear();
  } else if (navigation) {
    mark_.clear();
  }
  block_.clear();
  characters_ = link_characters_ = 0;
  space_ = heading_ = cell_ = false;
}

std::string BlockWriter::finish() {
  flush();
  return std::move(out_);
}

}  // namespace helio::text
