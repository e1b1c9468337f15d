#include "text/arrow_stream.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"

namespace helio::text {
namespace {

const fs::path kFixtures = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/arrow_stream";

std::vector<Json> rows_of(const std::string& bytes) {
  std::vector<Json> rows;
  read_arrow(bytes, "test", [&](Json row) { rows.push_back(std::move(row)); });
  return rows;
}

std::vector<Json> expected() {
  std::vector<Json> rows;
  read_jsonl(kFixtures / "rows.jsonl", [&](const Json& row, int64_t) { rows.push_back(row); });
  return rows;
}

std::string error_of(const std::string& bytes) {
  try {
    rows_of(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    return error.what();
  }
  return {};
}

TEST(ArrowStream, RowsEqualPyarrows) {
  const auto rows = rows_of(read_file(kFixtures / "good.arrow"));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows, expected());
}

TEST(ArrowStream, ArrowFilesHoldAStream) {
  EXPECT_EQ(rows_of(read_file(kFixtures / "file.arrow")), expected());
}

TEST(ArrowStream, SlicesDoNotBeginAtOffsetZero) {
  const auto all = expected();
  EXPECT_EQ(rows_of(read_file(kFixtures / "sliced.arrow")), (std::vector<Json>{all[2], all[3]}));
}

TEST(ArrowStream, WhatIsNotReadIsNamed) {
  EXPECT_NE(error_of(read_file(kFixtures / "lz4.arrow")).find("compressed"), std::string::npos);
  EXPECT_NE(error_of(read_file(kFixtures / "dictionary.arrow")).find("dictionary-encoded"),
            std::string::npos);
  EXPECT_NE(error_of(read_file(kFixtures / "date.arrow")).find("columns of type 8 ('d')"),
            std::string::npos);
  EXPECT_NE(error_of("").find("no schema"), std::string::npos);
  EXPECT_NE(error_of("{\"text\": 1}\n").find("damaged"), std::string::npos);
  EXPECT_THROW(read_arrow(kFixtures / "missing.arrow", [](Json) {}), Error);
}

// A file cut anywhere gives an error or fewer rows, never other rows.
TEST(ArrowStream, CutFilesNeverGiveWrongRows) {
  const std::string good = read_file(kFixtures / "good.arrow");
  const auto all = expected();
  size_t errors = 0;
  for (size_t size = 0; size < good.size(); ++size) {
    std::vector<Json> rows;
    try {
      read_arrow(std::string_view(good).substr(0, size), "cut",
                 [&](Json row) { rows.push_back(std::move(row)); });
    } catch (const Error&) {
      ++errors;
    }
    ASSERT_LE(rows.size(), all.size());
    for (size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i], all[i]) << "cut at " << size;
  }
  EXPECT_GT(errors, good.size() / 2);
}

// Every byte changed in three ways: no stray read (under ASan), no endless loop, no other
// exception.
TEST(ArrowStream, ChangedBytesAreReadOrRefused) {
  const std::string good = read_file(kFixtures / "sliced.arrow");
  size_t refused = 0;
  for (size_t at = 0; at < good.size(); ++at)
    for (const int mask : {0x01, 0x80, 0xFF}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ mask);
      refused += !error_of(bad).empty();
    }
  EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace helio::text
