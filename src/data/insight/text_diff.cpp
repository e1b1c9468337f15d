#include "data/insight/text_diff.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/text_lines.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

using Pieces = std::vector<std::string_view>;

struct Move {
  Edit edit;
  size_t old_at, new_at;  // the piece in its text
};

// Shortest edit script (Myers 1986, the greedy algorithm), given up beyond this many edits: what is
// kept to walk back grows with their square.
constexpr int kMostEdits = 1500;

void replace_all(size_t a, size_t n, size_t b, size_t m, std::vector<Move>& moves) {
  for (size_t i = 0; i < n; ++i) moves.push_back({Edit::removed, a + i, b});
  for (size_t i = 0; i < m; ++i) moves.push_back({Edit::added, a + n, b + i});
}

std::vector<Move> compare(const Pieces& old_pieces, const Pieces& new_pieces) {
  size_t head = 0, n = old_pieces.size(), m = new_pieces.size();
  while (head < n && head < m && old_pieces[head] == new_pieces[head]) ++head;
  size_t tail = 0;
  while (tail < n - head && tail < m - head && old_pieces[n - 1 - tail] == new_pieces[m - 1 - tail])
    ++tail;
  n -= head + tail, m -= head + tail;

  std::vector<Move> moves;
  for (size_t i = 0; i < head; ++i) moves.push_back({Edit::same, i, i});
  const auto same = [&](int x, int y) {
    return old_pieces[head + size_t(x)] == new_pieces[head + size_t(y)];
  };
  const int rows = int(n), columns = int(m), most = std::min(rows + columns, kMostEdits);
  std::vector<std::vector<int>> history;  // furthest x on each diagonal, an edit count a row
  std::vector<int> furthest(size_t(2 * most + 3), 0);
  const auto at = [&](int diagonal) -> int& { return furthest[size_t(diagonal + most + 1)]; };
  bool found = n == 0 && m == 0;
  int edits = 0;
  for (; !found && edits <= most; ++edits) {
    for (int k = -edits; k <= edits; k += 2) {
      int x = k == -edits || (k != edits && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
      int y = x - k;
      while (x < rows && y < columns && same(x, y)) ++x, ++y;
      at(k) = x;
      if (k == rows - columns && x >= rows) found = true;
    }
    history.emplace_back(furthest.begin() + (most + 1 - edits),
                         furthest.begin() + (most + 2 + edits));
  }
  if (!found) {
    replace_all(head, n, head, m, moves);
  } else {
    std::vector<Move> back;
    int x = rows, y = columns;
    for (int d = int(history.size()) - 1; d > 0; --d) {
      const std::vector<int>& before = history[size_t(d - 1)];  // diagonals -(d-1) ... d-1
      const auto reached = [&](int diagonal) {
        return std::abs(diagonal) > d - 1 ? -1 : before[size_t(diagonal + d - 1)];
      };
      const int k = x - y;
      const bool down = k == -d || (k != d && reached(k - 1) < reached(k + 1));
      const int from = down ? k + 1 : k - 1, start_x = reached(from), start_y = start_x - from;
      while (x > (down ? start_x : start_x + 1) && y > (down ? start_y + 1 : start_y))
        --x, --y, back.push_back({Edit::same, head + size_t(x), head + size_t(y)});
      if (down) back.push_back({Edit::added, head + size_t(x), head + size_t(--y)});
      else back.push_back({Edit::removed, head + size_t(--x), head + size_t(y)});
    }
    while (x > 0 && y > 0)
      --x, --y, back.push_back({Edit::same, head + size_t(x), head + size_t(y)});
    moves.insert(moves.end(), back.rbegin(), back.rend());
  }
  for (size_t i = 0; i < tail; ++i) moves.push_back({Edit::same, head + n + i, head + m + i});
  return moves;
}

Pieces lines_of(std::string_view text) {
  Pieces lines;
  if (!text.empty()) for_each_line(text, [&](std::string_view line) { lines.push_back(line); });
  return lines;
}

// Words, the white space between them, and punctuation, each a piece: they join to the line again.
Pieces words_of(std::string_view line) {
  Pieces words;
  size_t begin = 0;
  int kind = -1;
  for (size_t at = 0; at < line.size();) {
    const auto point = text::decode_utf8(line, at);
    const int now = text::is_python_space(point.value)                             ? 0
                    : text::is_letter(point.value) || text::is_number(point.value) ? 1
                                                                                   : 2;
    if (at > begin && (now != kind || now == 2)) {
      words.push_back(line.substr(begin, at - begin));
      begin = at;
    }
    kind = now;
    at += point.size;
  }
  if (begin < line.size()) words.push_back(line.substr(begin));
  return words;
}

void add_part(DiffLine& line, Edit edit, std::string_view text) {
  if (line.parts.empty() || line.parts.back().edit != edit)
    line.parts.push_back({edit, std::string(text)});
  else line.parts.back().text += text;
}

DiffLine whole_line(Edit edit, std::string_view text) {
  return {edit, {{edit, std::string(text)}}};
}

// A line and what became of it. Lines with hardly a word in common are shown whole.
std::pair<DiffLine, DiffLine> rewritten(std::string_view before, std::string_view after) {
  const Pieces old_words = words_of(before), new_words = words_of(after);
  std::pair<DiffLine, DiffLine> lines{{Edit::removed, {}}, {Edit::added, {}}};
  size_t common = 0;
  for (const Move& move : compare(old_words, new_words)) {
    if (move.edit == Edit::same) common += old_words[move.old_at].size();
    if (move.edit != Edit::added) add_part(lines.first, move.edit, old_words[move.old_at]);
    if (move.edit != Edit::removed) add_part(lines.second, move.edit, new_words[move.new_at]);
  }
  if (common * 3 < std::max(before.size(), after.size()))
    return {whole_line(Edit::removed, before), whole_line(Edit::added, after)};
  return lines;
}

}  // namespace

std::string DiffLine::text() const {
  std::string all;
  for (const DiffPart& part : parts) all += part.text;
  return all;
}

TextDiff diff_texts(std::string_view before, std::string_view after, const DiffOptions& options) {
  TextDiff diff;
  if (before == after) return diff;
  const Pieces old_lines = lines_of(before), new_lines = lines_of(after);
  const std::vector<Move> moves = compare(old_lines, new_lines);
  const auto context = size_t(std::max<int64_t>(0, options.context));
  size_t last_change = 0;
  bool open = false;
  for (size_t i = 0; i < moves.size();) {
    if (moves[i].edit == Edit::same) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < moves.size() && moves[end].edit != Edit::same) ++end;
    const bool joined = open && i - last_change <= 2 * context;
    const size_t lead = joined ? last_change : i - std::min(i, context);
    if (!joined) {
      if (open)
        for (size_t k = last_change; k < std::min(last_change + context, lead); ++k)
          diff.hunks.back().lines.push_back(whole_line(Edit::same, old_lines[moves[k].old_at]));
      diff.hunks.push_back({int64_t(moves[lead].old_at) + 1, int64_t(moves[lead].new_at) + 1, {}});
    }
    auto& lines = diff.hunks.back().lines;
    for (size_t k = lead; k < i; ++k)
      lines.push_back(whole_line(Edit::same, old_lines[moves[k].old_at]));
    std::vector<std::string_view> gone, come;
    for (size_t k = i; k < end; ++k)
      if (moves[k].edit == Edit::removed) gone.push_back(old_lines[moves[k].old_at]);
      else come.push_back(new_lines[moves[k].new_at]);
    diff.removed += int64_t(gone.size()), diff.added += int64_t(come.size());
    std::vector<DiffLine> added;
    for (size_t k = 0; k < std::max(gone.size(), come.size()); ++k) {
      if (k < gone.size() && k < come.size()) {
        auto [old_line, new_line] = rewritten(gone[k], come[k]);
        lines.push_back(std::move(old_line));
        added.push_back(std::move(new_line));
      } else if (k < gone.size()) {
        lines.push_back(whole_line(Edit::removed, gone[k]));
      } else {
        added.push_back(whole_line(Edit::added, come[k]));
      }
    }
    for (DiffLine& line : added) lines.push_back(std::move(line));
    open = true;
    last_change = i = end;
  }
  if (open)
    for (size_t k = last_change; k < std::min(last_change + context, moves.size()); ++k)
      diff.hunks.back().lines.push_back(whole_line(Edit::same, old_lines[moves[k].old_at]));
  return diff;
}

std::string TextDiff::unified() const {
  std::string out;
  for (const DiffHunk& hunk : hunks) {
    int64_t old_count = 0, new_count = 0;
    for (const DiffLine& line : hunk.lines)
      old_count += line.edit != Edit::added, new_count += line.edit != Edit::removed;
    out += fmt::format("@@ -{},{} +{},{} @@\n", hunk.old_line, old_count, hunk.new_line, new_count);
    for (const DiffLine& line : hunk.lines) (out += char(line.edit)) += line.text() + "\n";
  }
  return out;
}

OrderedJson TextDiff::json() const {
  OrderedJson list = OrderedJson::array();
  for (const DiffHunk& hunk : hunks) {
    OrderedJson lines = OrderedJson::array();
    for (const DiffLine& line : hunk.lines) {
      OrderedJson parts = OrderedJson::array();
      for (const DiffPart& part : line.parts)
        parts.push_back({std::string(1, char(part.edit)), part.text});
      lines.push_back({{"edit", std::string(1, char(line.edit))}, {"parts", std::move(parts)}});
    }
    list.push_back(
        {{"old_line", hunk.old_line}, {"new_line", hunk.new_line}, {"lines", std::move(lines)}});
  }
  return {{"removed", removed}, {"added", added}, {"hunks", std::move(list)}};
}

}  // namespace helio::data
