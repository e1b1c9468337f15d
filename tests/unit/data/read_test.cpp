#include <gtest/gtest.h>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/lines.h"
#include "data/read/read_source.h"

namespace helio::data {
namespace {

struct Read {
  std::vector<club::LotDocument> documents;
  ReadSummary summary;
};

Read read(const SourceOptions& options) {
  Read result;
  SilentMonitor monitor;
  StopRequest stop;
  result.summary = read_source(
      options, "lot", [&](club::LotDocument d) { result.documents.push_back(std::move(d)); },
      monitor, stop);
  return result;
}

TEST(Readers, AFolderGivesItsPagesAndTextsInPathOrderWithStableIds) {
  TempDir dir;
  dir.write("b/page.html", "<p>둘</p>");
  dir.write("a.txt", "하나\n");
  dir.write("c.png", "\x89PNG");
  dir.write("empty.md", "  \n\n");
  const Read all = read({.path = dir.path().string()});
  ASSERT_EQ(all.documents.size(), 2u);
  EXPECT_EQ(all.documents[0].id, "lot/a.txt");
  EXPECT_EQ(all.documents[0].format, "text");
  EXPECT_EQ(all.documents[0].text, "하나\n");
  EXPECT_EQ(all.documents[1].id, "lot/b/page.html");
  EXPECT_EQ(all.documents[1].path, "b/page.html");
  EXPECT_EQ(all.documents[1].format, "html");
  EXPECT_EQ(all.summary.files, 3);
  EXPECT_EQ(all.summary.empty, 1);
}

TEST(Readers, LinesAndParagraphsAreDocumentsNamedByTheirFirstLine) {
  TempDir dir;
  const auto file = dir.write("w.txt", "one\ntwo\n\n\nthree\n");
  const Read lines = read({.path = file.string(), .documents = "line"});
  ASSERT_EQ(lines.documents.size(), 3u);
  EXPECT_EQ(lines.documents[2].id, "lot/w.txt#5");
  EXPECT_EQ(lines.summary.empty, 2);
  const Read paragraphs = read({.path = file.string(), .documents = "paragraph"});
  ASSERT_EQ(paragraphs.documents.size(), 2u);
  EXPECT_EQ(paragraphs.documents[0].text, "one\ntwo");
  EXPECT_EQ(paragraphs.documents[1].id, "lot/w.txt#5");
}

TEST(Readers, BadRowsEndTheImportNamingFileAndLine) {
  TempDir dir;
  const auto file = dir.write("rows.jsonl", "{\"text\": \"a\"}\n{\"body\": \"b\"}\n");
  try {
    read({.path = file.string()});
    FAIL() << "a row without its field was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_EQ(error.message(), "rows.jsonl:2: the row has no 'text'");
  }
}

TEST(Readers, BadRowsAreCountedAndNamedUnderSkip) {
  TempDir dir;
  const auto file =
      dir.write("rows.jsonl",
                "{\"t\": \"가\"}\nnot json\n{\"t\": 3}\n[1]\n{\"t\": \"\xFF\"}\n{\"t\": \"나\"}");
  const Read all = read({.path = file.string(), .field = "t", .on_error = "skip"});
  ASSERT_EQ(all.documents.size(), 2u);
  EXPECT_EQ(all.documents[1].id, "lot/rows.jsonl#6");
  EXPECT_EQ(all.summary.bad, 4);
  ASSERT_EQ(all.summary.first_bad.size(), 4u);
  EXPECT_EQ(all.summary.first_bad[0].place, "rows.jsonl:2");
  EXPECT_EQ(all.summary.first_bad[1].reason, "'t' is not a string");
}

TEST(Readers, APageInAnotherEncodingBecomesUtf8AndSaysSo) {
  TempDir dir;
  dir.write("k.html", "<meta charset=euc-kr><p>\xC7\xD1\xB1\xDB");
  dir.write("x.html", "<meta charset=euc-kr><p>\xFF\xFF\xFF\xFF");
  const Read all = read({.path = dir.path().string(), .on_error = "skip"});
  ASSERT_EQ(all.documents.size(), 1u);
  EXPECT_EQ(all.documents[0].text, "<meta charset=utf-8><p>한글");
  ASSERT_EQ(all.summary.first_bad.size(), 1u);
  EXPECT_EQ(all.summary.first_bad[0].reason, "its bytes are not what it says they are (euc-kr)");
}

TEST(Readers, CompressedFilesAreReadByTheNameInside) {
  TempDir dir;
  LineWriter out(dir.path() / "x.jsonl.zst");
  out.write("{\"text\": \"압축\"}");
  out.commit();
  const Read all = read({.path = dir.path().string()});
  ASSERT_EQ(all.documents.size(), 1u);
  EXPECT_EQ(all.documents[0].text, "압축");
}

TEST(Readers, PatternsStayWithinAFolderUnlessTheySayOtherwise) {
  EXPECT_TRUE(fits_pattern("a.html", "*.html"));
  EXPECT_FALSE(fits_pattern("x/a.html", "*.html"));
  EXPECT_TRUE(fits_pattern("x/y/a.html", "**/*.html"));
  EXPECT_TRUE(fits_pattern("a.html", "**/*.html"));
  EXPECT_TRUE(fits_pattern("ch01.html", "ch0?.html"));
  EXPECT_FALSE(fits_pattern("ch01.htm", "ch0?.html"));
  EXPECT_TRUE(fits_pattern("x/y", "x/**"));
}

TEST(Readers, AMissingPathOrPatternIsNotFound) {
  TempDir dir;
  for (const std::string name : {"nothing", "*.html", ""}) try {
      read({.path = (dir.path() / name).string()});
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::not_found) << error.what();
    }
}

}  // namespace
}  // namespace helio::data
