// What changed between two texts, as lines and words.
#include "data/insight/text_diff.h"

#include <gtest/gtest.h>

#include <random>

namespace helio::data {
namespace {

std::string both_sides(const TextDiff& diff, Edit side) {
  std::string text;
  for (const DiffHunk& hunk : diff.hunks)
    for (const DiffLine& line : hunk.lines)
      if (line.edit == Edit::same || line.edit == side) text += line.text() + "\n";
  return text;
}

TEST(TextDiff, HoldsBothTextsWhateverWasChanged) {
  std::mt19937 random(1);
  for (int round = 0; round < 400; ++round) {
    std::string before, after;
    const int lines = int(random() % 12);
    for (int i = 0; i < lines; ++i) {
      const std::string line = "line " + std::to_string(random() % 6) + " of 글 " +
                               std::string(random() % 3, 'x') + "\n";
      const uint32_t fate = random() % 4;
      if (fate != 0) before += line;
      if (fate == 3) after += "other " + line;
      else if (fate != 1) after += line;
    }
    // With all the context there is, both texts stand in the one hunk.
    const TextDiff diff = diff_texts(before, after, {.context = 100});
    ASSERT_EQ(diff.empty(), before == after);
    if (diff.empty()) continue;
    ASSERT_EQ(diff.hunks.size(), 1u);
    const auto ended = [](const std::string& text) { return text.empty() ? text : text + "\n"; };
    EXPECT_EQ(both_sides(diff, Edit::removed), ended(before));
    EXPECT_EQ(both_sides(diff, Edit::added), ended(after));
    for (const DiffLine& line : diff.hunks[0].lines)
      for (const DiffPart& part : line.parts)
        EXPECT_TRUE(part.edit == Edit::same || part.edit == line.edit);
  }
}

TEST(TextDiff, MarksTheWordsThatChanged) {
  const TextDiff diff = diff_texts("one\nmail a@b.org now\nend", "one\nmail [EMAIL] now\nend");
  ASSERT_EQ(diff.hunks.size(), 1u);
  EXPECT_EQ(diff.unified(), "@@ -1,3 +1,3 @@\n one\n-mail a@b.org now\n+mail [EMAIL] now\n end\n");
  const DiffLine& line = diff.hunks[0].lines[1];
  ASSERT_EQ(line.parts.size(), 3u);
  EXPECT_EQ(line.parts[0].text, "mail ");
  EXPECT_EQ(line.parts[1].text, "a@b.org");
  EXPECT_EQ(line.parts[1].edit, Edit::removed);
  EXPECT_EQ(diff.json()["removed"], 1);
}

TEST(TextDiff, KeepsFarChangesApartAndItsWorkBounded) {
  std::string before, after;
  for (int i = 0; i < 100; ++i) {
    before += "line " + std::to_string(i) + "\n";
    after += (i == 20 || i == 24 || i == 80 ? "new " : "line ") + std::to_string(i) + "\n";
  }
  const TextDiff diff = diff_texts(before, after);
  ASSERT_EQ(diff.hunks.size(), 2u);
  EXPECT_EQ(diff.hunks[0].old_line, 19);
  EXPECT_EQ(diff.hunks[0].lines.size(), 11u);  // 19 to 27 with two lines rewritten
  EXPECT_EQ(diff.hunks[1].lines.size(), 6u);
  std::string left, right;
  for (int i = 0; i < 40'000; ++i)
    left += std::to_string(i) + "\n", right += "x" + std::to_string(i) + " \n";
  const TextDiff all = diff_texts(left, right);
  EXPECT_EQ(all.removed, 40'000);
  EXPECT_EQ(all.added, 40'000);
}

}  // namespace
}  // namespace helio::data
