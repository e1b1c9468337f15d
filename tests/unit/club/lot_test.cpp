#include "club/lot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "../support/temp_dir.h"
#include "club/merkle.h"
#include "club/roster.h"
#include "core/error.h"
#include "core/fs.h"

namespace helio::club {
namespace {

std::vector<LotDocument> sample() {
  return {{.id = "a/2", .text = "나는 학교에 간다.", .path = "2.txt"},
          {.id = "a/1", .text = "First\r\nsecond line", .path = "1.txt"},
          {.id = "a/3", .text = "", .path = "3.txt"}};
}

Manifest write_lot(const std::filesystem::path& dir, const std::vector<LotDocument>& documents,
                   const std::string& lot = "a", const std::string& partner = "신문사") {
  LotWriter writer(dir, {.lot = lot,
                         .partner = partner,
                         .licence = "CC0-1.0",
                         .language = "ko",
                         .source = "by hand"});
  for (const LotDocument& document : documents) writer.add(document);
  return writer.finish({.made_by = "club add-lot", .version = "0", .code = "0"});
}

std::string root_of(const std::vector<LotDocument>& documents) {
  LotTally tally;
  for (const LotDocument& document : documents) tally.add(document);
  return tally.counts().content_root;
}

// RFC 6962's own recursion, to check the level-by-level one against.
Sha256 root_by_recursion(const std::vector<Sha256>& leaves, size_t begin, size_t end) {
  if (end - begin == 1) return leaves[begin];
  size_t split = 1;
  while (split * 2 < end - begin) split *= 2;
  return merkle_node(root_by_recursion(leaves, begin, begin + split),
                     root_by_recursion(leaves, begin + split, end));
}

TEST(Merkle, EqualsTheDefinitionForEveryCountUpTo70) {
  std::vector<Sha256> leaves;
  for (int i = 0; i < 70; ++i) {
    leaves.push_back(merkle_leaf(sha256(std::to_string(i))));
    EXPECT_EQ(hex(merkle_root(leaves)), hex(root_by_recursion(leaves, 0, leaves.size()))) << i;
  }
}

TEST(Merkle, ARootOfNothingIsTheHashOfNothing) {
  EXPECT_EQ(hex(merkle_root({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Merkle, LeavesAndNodesArePrefixed) {
  const Sha256 data = sha256("x");
  std::string bytes(data.begin(), data.end());
  EXPECT_EQ(hex(merkle_leaf(data)), sha256_hex(std::string(1, '\0') + bytes));
  EXPECT_EQ(hex(merkle_node(data, data)), sha256_hex("\x01" + bytes + bytes));
}

TEST(CanonicalText, ComposesAndReadsEveryLineEndAsLineFeed) {
  EXPECT_EQ(canonical_text("\u1112\u1161\u11ab"), "한");  // conjoining jamo
  EXPECT_EQ(canonical_text("a\r\nb\rc\n"), "a\nb\nc\n");
  EXPECT_EQ(canonical_text("  kept  "), "  kept  ");
  EXPECT_THROW(canonical_text("\xff"), Error);
}

TEST(Lot, WordsOfAPageAreThoseOfItsMainText) {
  const std::string page =
      "<html><head><title>t</title><script>var a = 1;</script></head><body>"
      "<nav><a href=x>menu one</a></nav><p>나는 <b>학교</b>에 간다.</p></body></html>";
  EXPECT_EQ(document_words({.id = "1", .text = page, .format = "html"}), 3);
  EXPECT_GT(document_words({.id = "1", .text = page, .format = "text"}), 3);
}

TEST(Lot, WhatIsWrittenIsReadBackInOrder) {
  const TempDir temp;
  write_lot(temp.path() / "a", sample());
  LotReader reader(temp.path() / "a");
  EXPECT_EQ(reader.info().partner, "신문사");
  EXPECT_EQ(reader.counts().documents, 3);
  EXPECT_EQ(reader.counts().words, 6);
  EXPECT_EQ(reader.counts().bytes, static_cast<int64_t>(sample()[0].text.size() + 18));
  LotDocument document;
  for (const LotDocument& expected : sample()) {
    ASSERT_TRUE(reader.next(document));
    EXPECT_EQ(document.id, expected.id);
    EXPECT_EQ(document.text, expected.text);
    EXPECT_EQ(document.path, expected.path);
  }
  EXPECT_FALSE(reader.next(document));
}

TEST(Lot, TheRootDependsOnTheTextsAndNotOnTheirOrder) {
  std::vector<LotDocument> documents = sample();
  const std::string root = root_of(documents);
  std::reverse(documents.begin(), documents.end());
  EXPECT_EQ(root_of(documents), root);
  documents[0].text += "x";
  EXPECT_NE(root_of(documents), root);
}

TEST(Lot, TheRootIsTheOneAPartnerComputes) {
  // Ids in byte order: a/1, a/2, a/3.
  const auto leaf = [](const std::string& text) { return merkle_leaf(sha256(text)); };
  const Sha256 expected =
      merkle_node(merkle_node(leaf("First\nsecond line"), leaf("나는 학교에 간다.")), leaf(""));
  EXPECT_EQ(root_of(sample()), hex(expected));
}

TEST(Lot, AnIdGivenTwiceIsAnError) {
  LotTally tally;
  tally.add({.id = "a/1", .text = "x"});
  try {
    tally.add({.id = "a/1", .text = "y"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_NE(error.message().find("a/1"), std::string::npos);
  }
}

TEST(Lot, BadDocumentsAreNamed) {
  LotTally tally;
  EXPECT_THROW(tally.add({.id = "", .text = "x"}), Error);
  EXPECT_THROW(tally.add({.id = "1", .text = "x", .format = "pdf"}), Error);
  EXPECT_THROW(tally.add({.id = "1", .text = "\xc3("}), Error);
}

TEST(Lot, TheSameDocumentsGiveTheSameBytes) {
  const TempDir temp;
  const Manifest one = write_lot(temp.path() / "one" / "a", sample());
  const Manifest two = write_lot(temp.path() / "two" / "a", sample());
  EXPECT_EQ(one.content, two.content);
  EXPECT_EQ(read_file(temp.path() / "one" / "a" / kManifestName),
            read_file(temp.path() / "two" / "a" / kManifestName));
}

TEST(Lot, AChangedFileIsFoundByVerify) {
  const TempDir temp;
  const auto dir = temp.path() / "a";
  write_lot(dir, sample());
  EXPECT_TRUE(verify_lot(dir).empty());
  std::vector<LotDocument> changed = sample();
  changed[0].text = "나는 학교에 안 간다.";
  write_lot(temp.path() / "changed", changed);
  std::filesystem::copy_file(temp.path() / "changed" / kDocumentsName, dir / kDocumentsName,
                             std::filesystem::copy_options::overwrite_existing);
  std::string all;
  for (const std::string& line : verify_lot(dir)) all += line + "\n";
  EXPECT_NE(all.find(kDocumentsName), std::string::npos) << all;
  EXPECT_NE(all.find("words is stated as 6 and is 7"), std::string::npos) << all;
  EXPECT_NE(all.find("content_root"), std::string::npos) << all;
  EXPECT_EQ(all.find("documents is stated"), std::string::npos) << all;
}

TEST(Lot, ATruncatedFileIsReported) {
  const TempDir temp;
  write_lot(temp.path() / "a", sample());
  const auto file = temp.path() / "a" / kDocumentsName;
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 5);
  EXPECT_FALSE(verify_lot(temp.path() / "a").empty());
}

TEST(Lot, AFolderThatIsNoLotIsRefused) {
  const TempDir temp;
  try {
    LotReader reader(temp.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
}

class RosterTest : public testing::Test {
 protected:
  void SetUp() override {
    write_lot(dir() / "b", {{.id = "b/1", .text = "one two"}}, "b", "나");
    write_lot(dir() / "a", sample(), "a", "가");
    write_lot(dir() / "c", {{.id = "c/1", .text = "three"}}, "c", "나");
    seal_roster(dir(), {"b", "a", "c"}, {{.name = "나", .contact = "na@example.kr"}},
                {.name = "club", .made_by = "club import", .version = "0", .code = "0"});
  }
  std::filesystem::path dir() const { return temp_.path() / "lots"; }
  TempDir temp_;
};

TEST_F(RosterTest, SumsByPartnerAndKeepsTheOrderOfArrival) {
  const Roster roster = load_roster(dir());
  ASSERT_EQ(roster.lots.size(), 3u);
  EXPECT_EQ(roster.lots[0].info.lot, "b");
  EXPECT_EQ(roster.lots[1].info.lot, "a");
  ASSERT_EQ(roster.partners.size(), 2u);
  EXPECT_EQ(roster.partners[0].name, "가");
  EXPECT_EQ(roster.partners[1].contact, "na@example.kr");
  EXPECT_EQ(roster.partners[1].words, 3);
  EXPECT_FALSE(roster.partners[1].meets_entry());
  EXPECT_EQ(roster.totals().documents, 5);
  EXPECT_EQ(load_manifest(dir()).inputs.size(), 3u);
  EXPECT_TRUE(verify_roster(dir()).empty());
}

TEST_F(RosterTest, TheVersionThatWroteTheLotsIsNotPartOfTheirContent) {
  const std::string content = load_manifest(dir()).content;
  Manifest manifest = load_manifest(dir() / "a");
  manifest.version = "9.9.9";
  write_file_atomic(dir() / "a" / kManifestName, pretty(manifest.json()));
  seal_roster(dir(), {"b", "a", "c"}, {{.name = "나", .contact = "na@example.kr"}},
              {.name = "club", .made_by = "club import", .version = "9.9.9", .code = "1"});
  EXPECT_EQ(load_manifest(dir()).content, content);
}

TEST_F(RosterTest, VerifyFindsAPartnerNameChangedByHand) {
  std::string text = read_file(dir() / kRosterName);
  const size_t at = text.find("na@example.kr");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 2, "xx");
  write_file_atomic(dir() / kRosterName, text);
  EXPECT_FALSE(verify_roster(dir()).empty());
}

TEST_F(RosterTest, VerifyFindsALotsManifestChangedByHand) {
  Manifest manifest = load_manifest(dir() / "a");
  manifest.facts["partner"] = "다른";
  write_file_atomic(dir() / "a" / kManifestName, pretty(manifest.json()));
  EXPECT_FALSE(verify_roster(dir()).empty());
}

TEST_F(RosterTest, APartnerWithoutALotIsAnError) {
  EXPECT_THROW(seal_roster(dir(), {"b"}, {{.name = "없음"}}, {}), Error);
  EXPECT_THROW(seal_roster(dir(), {"b", "b"}, {}, {}), Error);
}

TEST(LotName, IsAFoldersName) {
  EXPECT_NO_THROW(check_lot_name("debian-faq_ko.1"));
  for (const char* bad : {"", ".", "..", ".x", "a/b", "가", "a b"})
    EXPECT_THROW(check_lot_name(bad), Error) << bad;
}

}  // namespace
}  // namespace helio::club
