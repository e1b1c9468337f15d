// Parquet and Arrow through the loaded module: written, read back, damaged.
#include "data/read/columnar.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/fs.h"
#include "data/write/row_writer.h"
#include "read_all.h"
#include "temp_dir.h"

namespace helio::data {
namespace {

#define NEEDS_COLUMNAR()                               \
  if (!has_columnar_library())                         \
  GTEST_SKIP() << "built without the columnar module " \
                  "(HELIO_ARROW=OFF)"

void write_rows(const std::string& folder, const RowWriterOptions& options, int rows) {
  const auto writer = open_row_writer(folder, options);
  const std::vector<std::string> changed = {"clean.spaces"};
  for (int i = 0; i < rows; ++i) {
    const std::string id = "lot/" + std::to_string(i), text = "글 " + std::to_string(i * i),
                      first = "lot/" + std::to_string(i / 2);
    writer->write({.id = id,
                   .text = text,
                   .lot = "lot",
                   .language = "ko",
                   .meta = "{\"n\":1}",
                   .cluster = i % 2 ? first : std::string_view(),
                   .scores = "{\"a\":0.5}",
                   .changed = changed});
  }
  writer->close();
}

class Columnar : public testing::TestWithParam<TableKind> {};

TEST_P(Columnar, WhatIsWrittenIsReadInPiecesOfAnySize) {
  NEEDS_COLUMNAR();
  TempDir dir;
  const std::string folder = (dir.path() / "out").string();
  write_rows(folder, {.kind = GetParam(), .shard_bytes = 40000, .group_bytes = 9000}, 2000);
  const auto shards = list_files(folder);
  ASSERT_GT(shards.size(), 2u);
  EXPECT_TRUE(shards[0].filename().string().starts_with("part-00000."));
  const All whole = read_pieces({.path = folder, .id_column = "id", .keep_columns = true});
  ASSERT_EQ(whole.documents.size(), 2000u);
  EXPECT_EQ(whole.documents[3].text, "글 9");
  EXPECT_EQ(whole.documents[3].id, "lot/lot/3");
  EXPECT_NE(whole.documents[3].meta.find("\"cluster\":\"lot/1\""), std::string::npos);
  EXPECT_NE(whole.documents[3].meta.find("\"changed\":[\"clean.spaces\"]"), std::string::npos);
  EXPECT_NE(whole.documents[2].meta.find("\"cluster\":null"), std::string::npos);
  const All cut = read_pieces({.path = folder}, 300);
  EXPECT_GT(cut.pieces, whole.pieces);
  EXPECT_EQ(texts(cut), texts(whole));
}

TEST_P(Columnar, PiecesMayBeParsedInAnyOrder) {
  NEEDS_COLUMNAR();
  TempDir dir;
  const std::string folder = (dir.path() / "out").string();
  write_rows(folder, {.kind = GetParam()}, 500);
  const auto source = open_source({.path = folder}, "lot");
  std::vector<Block> blocks(1);
  while (source->next(blocks.back(), 400)) blocks.emplace_back();
  blocks.pop_back();
  ASSERT_GT(blocks.size(), 5u);
  size_t rows = 0;
  for (size_t i = blocks.size(); i-- > 0;) {
    std::vector<Document> documents;
    ReadTally tally;
    source->parse(blocks[i], documents, tally);
    rows += documents.size();
    ASSERT_FALSE(documents.empty());
    EXPECT_EQ(documents[0].row, blocks[i].first_row);
  }
  EXPECT_EQ(rows, 500u);
}

TEST_P(Columnar, DamagedFilesAreErrorsOrBadRows) {
  NEEDS_COLUMNAR();
  TempDir dir;
  const std::string folder = (dir.path() / "out").string();
  write_rows(folder, {.kind = GetParam(), .group_bytes = 3000}, 200);
  const std::string good = read_file(list_files(folder)[0]);
  const char* name = GetParam() == TableKind::parquet ? "x.parquet" : "x.arrow";
  uint32_t state = 7;
  const auto random = [&](size_t below) {
    state = state * 1664525 + 1013904223;
    return static_cast<size_t>(state >> 8) % below;
  };
  int64_t told = 0;
  for (int turn = 0; turn < 120; ++turn) {
    std::string bytes = good;
    if (turn % 4 == 0) bytes.resize(random(bytes.size()));
    else
      for (int n = 0; n < 3; ++n) bytes[random(bytes.size())] ^= static_cast<char>(1 + random(255));
    const auto file = dir.write(name, bytes);
    try {
      told += read_pieces({.path = file.string(), .on_error = "skip"}, 500).tally.bad;
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::internal) << error.what();
      ++told;
    }
  }
  EXPECT_GT(told, 30);
}

TEST_P(Columnar, NothingAppearsUntilAShardIsWhole) {
  NEEDS_COLUMNAR();
  TempDir dir;
  const std::string folder = (dir.path() / "out").string();
  {
    const auto writer = open_row_writer(folder, {.kind = GetParam()});
    writer->write({.id = "a", .text = "b"});
  }
  EXPECT_TRUE(list_files(folder).empty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, Columnar, testing::Values(TableKind::parquet, TableKind::arrow));

TEST(ColumnarRead, AMissingColumnNamesThoseThatAreThere) {
  NEEDS_COLUMNAR();
  TempDir dir;
  const std::string folder = (dir.path() / "out").string();
  write_rows(folder, {}, 3);
  try {
    read_pieces({.path = folder, .text_column = "body"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("no text column 'body' among: id, text"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace helio::data
