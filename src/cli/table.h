// Columns for people: aligned by what a terminal shows, where a Korean character takes two places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace helio::cli {

enum class Align { left, right };

struct Column {
  std::string title = {};
  Align align = Align::left;
};

// Places a text takes in a terminal.
int display_width(std::string_view text);

// Titles, rows, and a last row set apart by a rule when there is one. Rows shorter than the columns
// are filled up.
std::string table_text(const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows,
                       const std::vector<std::string>& totals = {});

}  // namespace helio::cli
