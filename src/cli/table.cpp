#include "cli/table.h"

#include <algorithm>

#include "text/unicode.h"
#include "text/utf8.h"

namespace helio::cli {
namespace {

// East Asian Width W and F, as far as scripts that terminals show wide go (UAX #11).
bool is_wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF && c != 0x303F) ||
         (c >= 0xA960 && c <= 0xA97C) || (c >= 0xAC00 && c <= 0xD7A3) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) ||
         (c >= 0xFF01 && c <= 0xFF60) || (c >= 0xFFE0 && c <= 0xFFE6) ||
         (c >= 0x1F300 && c <= 0x1F64F) || (c >= 0x1F900 && c <= 0x1F9FF) ||
         (c >= 0x20000 && c <= 0x3FFFD);
}

}  // namespace

int display_width(std::string_view text) {
  int width = 0;
  text::for_each_code_point(text, [&](char32_t code, std::string_view) {
    if (text::category(code) == text::Category::mark) return;
    width += is_wide(code) ? 2 : 1;
  });
  return width;
}

std::string table_text(const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows,
                       const std::vector<std::string>& totals) {
  std::vector<int> widths;
  for (const Column& column : columns) widths.push_back(display_width(column.title));
  const auto measure = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  };
  for (const auto& row : rows) measure(row);
  measure(totals);

  std::string out;
  const auto write = [&](const auto& cell_of) {
    std::string line;
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string cell = cell_of(i);
      const std::string gap(static_cast<size_t>(widths[i] - display_width(cell)), ' ');
      if (i > 0) line += "  ";
      line += columns[i].align == Align::right ? gap + cell : cell + gap;
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  };
  const auto write_row = [&](const std::vector<std::string>& row) {
    write([&](size_t i) { return i < row.size() ? row[i] : std::string(); });
  };
  write([&](size_t i) { return columns[i].title; });
  for (const auto& row : rows) write_row(row);
  if (!totals.empty()) {
    int whole = 0;
    for (const int width : widths) whole += width + 2;
    for (int i = 0; i < whole - 2; ++i) out += "─";
    out += "\n";
    write_row(totals);
  }
  return out;
}

}  // namespace helio::cli
