#include <gtest/gtest.h>

#include <map>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "text/bpe_train.h"
#include "text/count_words_of.h"
#include "text/line_batches.h"

namespace helio::text {
namespace {

using Counts = std::map<std::string, int64_t>;

Counts counts_of(const CountedWords& words) {
  Counts counts;
  words.for_each([&](std::string_view word, int64_t count) {
    EXPECT_TRUE(counts.emplace(word, count).second) << "twice: " << word;
  });
  return counts;
}

TEST(WordTable, CountsWordsOfAnySize) {
  WordTable table;
  const std::string long_word(3 << 20, 'x');
  Counts expected;
  for (int i = 0; i < 20000; ++i) {
    const std::string word = std::to_string(i % 7000 * 13);
    table.add(word);
    ++expected[word];
  }
  for (int i = 0; i < 3; ++i) table.add(long_word, 5);
  table.add("");
  expected[long_word] = 15;
  expected[""] = 1;
  Counts counts;
  table.for_each([&](std::string_view word, int64_t count) { counts.emplace(word, count); });
  EXPECT_EQ(counts, expected);
  EXPECT_EQ(table.size(), expected.size());
  EXPECT_GT(table.memory(), size_t(3) << 20);
  Counts drained;
  table.drain([&](std::string_view word, int64_t count) { drained.emplace(word, count); });
  EXPECT_EQ(drained, expected);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.memory(), 0u);
}

TEST(WordRuns, ManyRunsBecomeOneSortedStream) {
  const TempDir temp;
  Counts expected;
  {
    WordRuns runs(temp.path() / "words");
    for (int run = 0; run < 150; ++run) {  // more than are open at once
      WordTable table;
      for (int i = 0; i < 40; ++i) {
        const std::string word = std::string(1, static_cast<char>(i * run)) + std::to_string(i % 9);
        table.add(word, run + int64_t(1) * i * 1000000007);
        expected[word] += run + int64_t(1) * i * 1000000007;
      }
      WordRuns::write(table, runs.add());
    }
    EXPECT_EQ(runs.merge(), static_cast<int64_t>(expected.size()));
    for (int time = 0; time < 2; ++time) {
      std::vector<std::pair<std::string, int64_t>> read;
      runs.for_each([&](std::string_view word, int64_t count) { read.emplace_back(word, count); });
      EXPECT_EQ(read,
                (std::vector<std::pair<std::string, int64_t>>(expected.begin(), expected.end())));
    }
  }
  EXPECT_FALSE(fs::exists(temp.path() / "words"));
}

class CountWordsOf : public testing::Test {
 protected:
  CountedWords count(WordSource source) {
    source.files = {file};
    source.overflow = temp.path() / "words";
    SilentMonitor monitor;
    return count_words_of(source, word_cutter({}), monitor, StopRequest());
  }
  const TempDir temp = {};
  const fs::path file = temp.path() / "rows.jsonl";
};

TEST_F(CountWordsOf, NeitherMemoryNorThreadsChangeTheCounts) {
  std::string rows;
  for (int i = 0; rows.size() < size_t(5) << 20; ++i)
    rows += "{\"text\": \"word" + std::to_string(i % 30000) + " 한국어 " + std::to_string(i) +
            " \\u00e9 end\", \"split\": \"" + (i % 3 ? "train" : "heldout") + "\"}\n";
  write_file_atomic(file, rows);
  const auto plain = count({.threads = 1});
  const auto expected = counts_of(plain);
  EXPECT_EQ(plain.words, static_cast<int64_t>(expected.size()));
  EXPECT_FALSE(plain.runs);
  EXPECT_EQ(expected.at(" end"), plain.documents);
  for (const int64_t threads : {1, 3}) {
    auto little = count({.threads = threads, .memory = 1 << 16});
    EXPECT_TRUE(little.runs);
    EXPECT_EQ(little.words, plain.words);
    EXPECT_EQ(little.documents, plain.documents);
    EXPECT_EQ(little.bytes, plain.bytes);
    EXPECT_EQ(counts_of(little), expected);
    EXPECT_EQ(counts_of(count({.threads = threads})), expected);
    EXPECT_TRUE(fs::exists(temp.path() / "words"));
    Counts drained;
    little.drain([&](std::string_view word, int64_t n) { drained.emplace(word, n); });
    EXPECT_EQ(drained, expected);
    EXPECT_FALSE(fs::exists(temp.path() / "words"));
  }
  const auto train = count({.split = "train", .threads = 2});
  EXPECT_LT(train.documents, plain.documents);
  EXPECT_EQ(counts_of(train).at(" end"), train.documents);
}

TEST_F(CountWordsOf, TheFirstBadRowIsNamed) {
  std::string rows;
  for (int i = 1; rows.size() < size_t(6) << 20; ++i)
    rows += i == 20000   ? "{\"text\": \"a\n"
            : i == 50000 ? "[1]\n"
                         : "{\"text\": \"some text that is counted again and again and again\"}\n";
  write_file_atomic(file, rows);
  for (const int64_t threads : {1, 4}) {
    try {
      count({.threads = threads});
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      EXPECT_NE(std::string(error.what()).find("rows.jsonl:20000"), std::string::npos)
          << error.what();
    }
  }
}

TEST(DocumentReader, ReadsAsTheSlowerReaderDoes) {
  const TempDir temp;
  const fs::path file = temp.path() / "rows.jsonl";
  const std::vector<std::string> rows = {
      R"({"text": "plain"})",
      R"({"text": "first", "text": "last \u00e9\n\ud83d\ude00 é"})",
      R"(  {"other": [1, {"text": "inner"}], "text": ""}  )",
      R"({"text": 7})",
      R"({"other": "x"})",
      R"({"text": "\ud800"})",
      R"({"text": "a"} trailing)",
      R"(["text"])",
      R"({"text": "big", "n": 123456789012345678901234567890, "f": 1e400})",
      "{\"text\": \"\xFF\"}",
      "{\"text\": \"a\tb\"}",
      "{\"text\": \"deep\", \"x\": " + std::string(150, '[') + std::string(150, ']') + "}",
      "{\"text\": \"too deep\", \"x\": " + std::string(300, '[') + std::string(300, ']') + "}",
      "{\"text\": \"open",
  };
  std::string all;
  for (const auto& row : rows) all += row + "\n";
  write_file_atomic(file, all);
  LineBatches batches({file});
  std::vector<SourceLine> lines;
  ASSERT_TRUE(batches.next(lines));
  ASSERT_EQ(lines.size(), rows.size());
  DocumentReader reader(batches, "text");
  for (const auto& line : lines) {
    const auto outcome = [&](auto&& read) -> std::string {
      try {
        return "text " + std::string(read());
      } catch (const Error& error) {
        return std::string("error ") + error.what();
      }
    };
    EXPECT_EQ(outcome([&] { return *reader.text(line); }),
              outcome([&] { return batches.text(line, "text"); }))
        << line.bytes;
  }
}

}  // namespace
}  // namespace helio::text
