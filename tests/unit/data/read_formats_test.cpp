// Each format by what its own rules make special.
#include <gtest/gtest.h>
#include <zlib.h>

#include <numeric>

#include "core/error.h"
#include "core/lines.h"
#include "read_all.h"
#include "temp_dir.h"

namespace helio::data {
namespace {

using Strings = std::vector<std::string>;

TEST(ReadFormats, PiecesCutAnywhereGiveTheSameDocuments) {
  TempDir dir;
  std::string rows;
  for (int i = 0; i < 300; ++i)
    rows += "{\"text\": \"" + std::string(static_cast<size_t>(i % 37), 'x') + "가" +
            std::to_string(i) + "\"}\n";
  dir.write("a.jsonl", rows);
  dir.write("b.csv", "n,text\n1,\"two\nlines, \"\"quoted\"\"\"\r\n2,plain\n3,\"\"\n");
  dir.write("c.json", "[{\"text\": \"a]}\\\"\"},\n {\"text\": \"b\", \"x\": [{}]}]\n");
  const All whole = read_pieces({.path = dir.path().string()});
  ASSERT_EQ(whole.documents.size(), 304u);
  for (const size_t bytes : {1u, 7u, 100u, 4096u}) {
    const All cut = read_pieces({.path = dir.path().string()}, bytes);
    EXPECT_EQ(texts(cut), texts(whole)) << bytes;
    EXPECT_EQ(ids(cut), ids(whole)) << bytes;
    EXPECT_EQ(cut.tally.empty, whole.tally.empty);
  }
  EXPECT_GT(read_pieces({.path = dir.path().string()}, 100).pieces, 50);
}

TEST(ReadFormats, CsvFollowsItsQuotesAndCountsTheLinesRowsBeginOn) {
  TempDir dir;
  const auto file = dir.write(
      "t.csv",
      "\xEF\xBB\xBFtext,id\r\n\"a\nb \"\"c\"\", d\",1\r\nplain,2\nx,3,4\n\"open\"y,5\nlast,6");
  const All all = read_pieces(
      {.path = file.string(), .id_column = "id", .keep_columns = true, .on_error = "skip"});
  EXPECT_EQ(texts(all), (Strings{"a\nb \"c\", d", "plain", "last"}));
  EXPECT_EQ(ids(all), (Strings{"lot/1", "lot/2", "lot/6"}));
  EXPECT_EQ(all.documents[1].path, "t.csv#4");
  EXPECT_EQ(all.documents[1].meta, "{\"id\":\"2\"}");
  ASSERT_EQ(all.tally.first_bad.size(), 2u);
  EXPECT_EQ(all.tally.first_bad[0].place, "t.csv:5");
  EXPECT_EQ(all.tally.first_bad[0].reason, "the row has 3 fields, the header 2");
  EXPECT_EQ(all.tally.first_bad[1].reason, "something follows a closing quote");
}

TEST(ReadFormats, TsvTakesQuotesAsTheyAre) {
  TempDir dir;
  const auto file = dir.write("t.tsv", "id\tdocument\tlabel\n1\t\"안녕\t1\n2\t둘\t0\n");
  EXPECT_EQ(texts(read_pieces({.path = file.string(), .text_column = "document"})),
            (Strings{"\"안녕", "둘"}));
}

TEST(ReadFormats, ATableWithoutTheColumnSaysWhichItHas) {
  TempDir dir;
  const auto file = dir.write("t.csv", "a,b\n1,2\n");
  try {
    read_pieces({.path = file.string()});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "t.csv:1: no column 'text' among: a, b");
  }
  const auto bare = dir.write("u.csv", "1,둘\n");
  EXPECT_EQ(texts(read_pieces({.path = bare.string(), .text_column = "column2", .header = "no"})),
            (Strings{"둘"}));
}

TEST(ReadFormats, JsonIsAnArrayOneObjectOrManyAndPathsReachInside) {
  TempDir dir;
  const auto array =
      dir.write("a.json", "[\n{\"d\": {\"t\": \"하나\"}},\n{\"d\": {\"t\": \"둘\"}}\n]");
  const auto one = dir.write("b.json", "{\"d\": {\"t\": \"셋\"}}");
  const auto many = dir.write("c.json", "{\"d\": {\"t\": \"넷\"}}\n{\"d\": {\"t\": \"다섯\"}}\n");
  EXPECT_EQ(texts(read_pieces({.path = array.string(), .text_column = "d.t"})),
            (Strings{"하나", "둘"}));
  EXPECT_EQ(texts(read_pieces({.path = one.string(), .text_column = "d.t"})), (Strings{"셋"}));
  EXPECT_EQ(ids(read_pieces({.path = many.string(), .text_column = "d.t"})),
            (Strings{"lot/c.json#1", "lot/c.json#2"}));
}

TEST(ReadFormats, AnArrayCutShortIsTold) {
  TempDir dir;
  const auto file = dir.write("a.json", "[{\"text\": \"a\"},\n");
  const All all = read_pieces({.path = file.string(), .on_error = "skip"});
  EXPECT_EQ(texts(all), (Strings{"a"}));
  ASSERT_EQ(all.tally.bad, 1);
  EXPECT_EQ(all.tally.first_bad[0].reason, "the file ends inside its array");
}

TEST(ReadFormats, NestedBombsAndHugeNumbersAreRowsLikeOthers) {
  TempDir dir;
  const std::string bomb = "{\"text\": \"b\", \"x\": " + std::string(200000, '[') + "}\n";
  const auto file =
      dir.write("a.jsonl", bomb + "{\"text\": \"a\", \"n\": 123456789012345678901234567890}\n");
  dir.write("b.json", std::string(300000, '['));
  const All all = read_pieces({.path = dir.path().string(), .on_error = "skip"});
  EXPECT_EQ(texts(all), (Strings{"a"}));
  EXPECT_GE(all.tally.bad, 2);
}

TEST(ReadFormats, ALineThatIsTooLongIsPassedOver) {
  TempDir dir;
  const std::string row = "{\"text\": \"ok\"}\n";
  const auto file = dir.write("a.jsonl", row + std::string(3'000'000, 'x') + "\n" + row);
  for (const size_t bytes : {1u, 1000u, 10'000'000u}) {
    const All all =
        read_pieces({.path = file.string(), .on_error = "skip", .max_record = 1000}, bytes);
    EXPECT_EQ(ids(all), (Strings{"lot/a.jsonl#1", "lot/a.jsonl#3"}));
    ASSERT_EQ(all.tally.bad, 1);
    EXPECT_EQ(all.tally.first_bad[0].place, "a.jsonl:2");
    EXPECT_EQ(all.tally.first_bad[0].reason, "longer than 1000 bytes (max_record)");
  }
}

TEST(ReadFormats, OlderEncodingsAreFoundByTheirBytes) {
  TempDir dir;
  // "한글 문서입니다" in CP949, and as UTF-16 with and without a mark.
  const std::string cp949 = "\xC7\xD1\xB1\xDB \xB9\xAE\xBC\xAD\xC0\xD4\xB4\xCF\xB4\xD9";
  dir.write("a.txt", cp949);
  dir.write("b.csv", "text\n" + cp949 + "\n\xC7\xFF\n");
  dir.write("c.jsonl", "{\"text\": \"" + cp949 + "\"}\n");
  std::string wide;
  for (const char32_t c : std::u32string(U"한글 abc\nde")) {
    wide += static_cast<char>(c & 255);
    wide += static_cast<char>(c >> 8);
  }
  dir.write("d.txt", "\xFF\xFE" + wide);
  dir.write("e.txt", wide);
  const All all = read_pieces({.path = dir.path().string(), .on_error = "skip"});
  const std::string text = "한글 문서입니다";
  EXPECT_EQ(texts(all), (Strings{text, text, text, "한글 abc\nde", "한글 abc\nde"}));
  ASSERT_EQ(all.tally.bad, 1);
  EXPECT_EQ(all.tally.first_bad[0].place, "b.csv:3");
}

TEST(ReadFormats, FrontMatterCanGo) {
  TempDir dir;
  const auto file = dir.write("a.md", "---\ntitle: x\n---\n# 본문\n");
  EXPECT_EQ(texts(read_pieces({.path = file.string(), .front_matter = "drop"})),
            (Strings{"# 본문\n"}));
  EXPECT_EQ(texts(read_pieces({.path = file.string()})), (Strings{"---\ntitle: x\n---\n# 본문\n"}));
}

TEST(ReadFormats, ADamagedArchiveGivesWhatComesBeforeTheDamage) {
  TempDir dir;
  const auto whole = dir.path() / "a.jsonl.zst";
  {
    LineWriter out(whole);
    for (int i = 0; i < 20000; ++i)
      out.write("{\"text\": \"" + std::to_string(i * 7919 % 10007) +
                "\", \"i\": " + std::to_string(i) + "}");
    out.commit();
  }
  std::filesystem::resize_file(whole, std::filesystem::file_size(whole) / 2);
  const All all = read_pieces({.path = whole.string(), .on_error = "skip"}, 1000);
  EXPECT_GT(all.documents.size(), 1000u);
  ASSERT_EQ(all.tally.bad, 1);
  EXPECT_EQ(all.tally.first_bad[0].reason, "the compressed data ends too early");
  EXPECT_THROW(read_pieces({.path = whole.string()}), Error);
}

std::string warc(const std::string& type, const std::string& media, const std::string& body) {
  return "WARC/1.0\r\nWARC-Type: " + type +
         "\r\nWARC-Target-URI: https://a.example/\r\nContent-Type: " + media +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body + "\r\n\r\n";
}

TEST(ReadFormats, WebArchivesGiveTheirPagesAndTexts) {
  TempDir dir;
  const std::string http = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=";
  const auto file = dir.write(
      "a.warc",
      warc("warcinfo", "application/warc-fields", "software: x\r\n") +
          warc("response", "application/http", http + "euc-kr\r\n\r\n<p>\xC7\xD1\xB1\xDB</p>") +
          warc("response", "application/http",
               http + "utf-8\r\nTransfer-Encoding: "
                      "chunked\r\n\r\n5\r\n<p>ab\r\n3\r\ncd<\r\n0\r\n\r\n") +
          warc("response", "application/http",
               "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\nno") +
          "junk that is no record\r\n" + warc("conversion", "text/plain", "본문") +
          "WARC/1.0\r\nbroken");
  for (const size_t bytes : {1u, 100000u}) {
    const All all = read_pieces({.path = file.string(), .on_error = "skip"}, bytes);
    EXPECT_EQ(texts(all), (Strings{"<p>한글</p>", "<p>abcd<", "본문"}));
    EXPECT_EQ(all.documents[0].url, "https://a.example/");
    EXPECT_EQ(all.documents[0].format, "html");
    EXPECT_EQ(all.documents[2].format, "text");
    EXPECT_EQ(all.documents[2].id, "lot/a.warc#6");
    EXPECT_EQ(all.tally.left_out, 1);
    EXPECT_EQ(all.tally.bad, 2);
  }
}

// A zip with stored members, as a packer on Korean Windows writes names.
std::string zip_of(const std::vector<std::pair<std::string, std::string>>& members) {
  const auto number = [](uint64_t value, size_t size) {
    std::string out;
    for (size_t i = 0; i < size; ++i) out += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
    return out;
  };
  std::string out, directory;
  for (const auto& [name, text] : members) {
    const uint64_t crc =
        crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
    const std::string sizes = number(crc, 4) + number(text.size(), 4) + number(text.size(), 4) +
                              number(name.size(), 2) + number(0, 2);
    directory += number(0x02014b50, 4) + number(20, 2) + number(20, 2) + number(0, 8) + sizes +
                 number(0, 10) + number(out.size(), 4) + name;
    out += number(0x04034b50, 4) + number(20, 2) + number(0, 8) + sizes + name + text;
  }
  return out + directory + number(0x06054b50, 4) + number(0, 4) + number(members.size(), 2) +
         number(members.size(), 2) + number(directory.size(), 4) + number(out.size(), 4) +
         number(0, 2);
}

TEST(ReadFormats, MembersOfAZipAreFilesOfTheirOwn) {
  TempDir dir;
  dir.write(
      "a.zip",
      zip_of({{"\xC7\xD1\xB1\xDB/b.txt", "둘"}, {"a.jsonl", "{\"text\": \"하나\"}"}, {"x/", ""}}));
  const All all = read_pieces({.path = dir.path().string()});
  EXPECT_EQ(ids(all), (Strings{"lot/a.zip/a.jsonl#1", "lot/a.zip/한글/b.txt"}));
  std::string broken = zip_of({{"a.txt", "text"}});
  broken[broken.find("text")] = 'T';
  const auto file = dir.write("broken.zip", broken);
  const All bad = read_pieces({.path = file.string(), .on_error = "skip"});
  EXPECT_TRUE(bad.documents.empty());
  ASSERT_EQ(bad.tally.bad, 1);
  EXPECT_NE(bad.tally.first_bad[0].reason.find("checksum"), std::string::npos);
}

// Bytes changed, dropped and doubled: no crash, no hang, and counted as what they are.
TEST(ReadFormats, HostileBytesAreErrorsOrBadRows) {
  const std::string page =
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\n<p>ab\r\n0\r\n\r\n";
  const std::pair<const char*, std::string> seeds[] = {
      {"a.warc",
       warc("response", "application/http", page) + warc("conversion", "text/plain", "t")},
      {"a.csv", "text,b\n\"x\ny\",2\nz,3\n"},
      {"a.json", "[{\"text\": \"a\\n\"}, {\"text\": \"b\", \"c\": [1, {\"d\": null}]}]"},
      {"a.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\"}\n"},
      {"a.zip", zip_of({{"a.txt", "one"}, {"b.jsonl", "{\"text\": \"two\"}"}})},
      {"a.txt", "\xFF\xFE" + std::string("a\0b\0\n\0", 6)}};
  uint32_t state = 12345;
  const auto random = [&](size_t below) {
    state = state * 1664525 + 1013904223;
    return static_cast<size_t>(state >> 8) % below;
  };
  TempDir dir;
  int64_t refused = 0, read = 0;
  for (const auto& [name, seed] : seeds)
    for (int turn = 0; turn < 150; ++turn) {
      std::string bytes = seed;
      for (size_t n = random(4) + 1; n-- > 0 && !bytes.empty();) {
        const size_t at = random(bytes.size());
        switch (random(4)) {
          case 0:
            bytes[at] = static_cast<char>(random(256));
            break;
          case 1:
            bytes.erase(at, random(9) + 1);
            break;
          case 2:
            bytes.insert(at, bytes.substr(random(bytes.size()), random(20)));
            break;
          default:
            bytes.resize(at);
        }
      }
      const auto file = dir.write(name, bytes);
      try {
        const All all =
            read_pieces({.path = file.string(), .on_error = "skip", .max_record = 10000}, 16);
        read += static_cast<int64_t>(all.documents.size());
      } catch (const Error& error) {
        EXPECT_NE(error.kind(), ErrorKind::internal) << error.what();
        ++refused;
      }
    }
  EXPECT_GT(read, 300);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace helio::data
