// Personal data: precision and recall on a labelled set, what stand-ins promise, and hostile text.
#include "data/pii/pii.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <set>

#include "core/fs.h"
#include "core/json.h"
#include "core/lines.h"
#include "data/pii/checks.h"
#include "data/pii/surrogate.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

// "... [[phone|010-1234-5678]] ...": the text without its marks, and the spans they stood round.
struct Labelled {
  std::string text = {};
  std::vector<PiiSpan> spans = {};
};

Labelled labelled(const std::string& marked) {
  Labelled result;
  for (size_t at = 0; at < marked.size();) {
    if (marked.compare(at, 2, "[[") != 0) {
      result.text += marked[at++];
      continue;
    }
    const size_t bar = marked.find('|', at), end = marked.find("]]", at);
    const std::string name = marked.substr(at + 2, bar - at - 2);
    const auto kind = std::find_if(kAllPii.begin(), kAllPii.end(),
                                   [&](Pii each) { return name_of(each) == name; });
    EXPECT_NE(kind, kAllPii.end()) << marked;
    const size_t begin = result.text.size();
    result.text += marked.substr(bar + 1, end - bar - 1);
    result.spans.push_back({*kind, begin, result.text.size()});
    at = end + 2;
  }
  return result;
}

struct Score {
  int found = 0, right = 0, labelled = 0;
  double precision() const { return found == 0 ? 1 : double(right) / found; }
  double recall() const { return labelled == 0 ? 1 : double(right) / labelled; }
};

TEST(Pii, PrecisionAndRecallOnTheLabelledSetStayAboveTheirFloors) {
  const fs::path path = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/pii_labelled.jsonl";
  std::map<std::string, Score> scores;
  int lines = 0;
  std::string misses;
  std::istringstream rows(read_file(path));
  for (std::string line; std::getline(rows, line);) {
    ++lines;
    const Labelled sample = labelled(parse_json(line, path.string())["text"].get<std::string>());
    const auto found = find_pii(sample.text);
    const auto count = [&](const std::vector<PiiSpan>& spans, int Score::*member) {
      for (const PiiSpan& span : spans) {
        ++(scores[std::string(name_of(span.kind))].*member);
        ++(scores["all"].*member);
      }
    };
    count(found, &Score::found);
    count(sample.spans, &Score::labelled);
    std::vector<PiiSpan> right;
    for (const PiiSpan& span : found) {
      const bool known =
          std::find(sample.spans.begin(), sample.spans.end(), span) != sample.spans.end();
      if (known) right.push_back(span);
      else
        misses += fmt::format("  line {} wrong: {} '{}'\n", lines, name_of(span.kind),
                              sample.text.substr(span.begin, span.end - span.begin));
    }
    count(right, &Score::right);
    for (const PiiSpan& span : sample.spans)
      if (std::find(found.begin(), found.end(), span) == found.end())
        misses += fmt::format("  line {} missed: {} '{}'\n", lines, name_of(span.kind),
                              sample.text.substr(span.begin, span.end - span.begin));
  }
  EXPECT_GE(lines, 200);
  fmt::print("{:<10} {:>8} {:>6} {:>6} {:>9} {:>7}\n", "kind", "labelled", "found", "right",
             "precision", "recall");
  for (const auto& [name, score] : scores) {
    fmt::print("{:<10} {:>8} {:>6} {:>6} {:>9.3f} {:>7.3f}\n", name, score.labelled, score.found,
               score.right, score.precision(), score.recall());
    // Addresses of the internet lose 8.8.8.8 and its like to numbers of sections.
    const bool heuristic = name == "address" || name == "account" || name == "ipv4";
    EXPECT_GE(score.precision(), heuristic ? 0.85 : 0.95) << name;
    EXPECT_GE(score.recall(), heuristic ? 0.75 : 0.9) << name;
    EXPECT_GE(score.labelled, 4) << name << " is hardly tested";
  }
  for (const Pii kind : kAllPii)
    EXPECT_TRUE(scores.contains(std::string(name_of(kind)))) << name_of(kind);
  fmt::print("{}", misses);
}

TEST(Pii, PetitionsHoldWhatWasCountedInThem) {
  const fs::path path =
      fs::path(HELIO_SOURCE_DIR) / "../shared/data/corpora/ko_petitions.jsonl.zst";
  if (!fs::exists(path)) GTEST_SKIP() << "no ../shared/data/corpora/ko_petitions.jsonl.zst";
  std::map<Pii, int> counts;
  int64_t documents = 0, mobiles = 0;
  LineReader lines(path);
  for (std::string_view line; lines.next(line);) {
    ++documents;
    const std::string text = parse_json(line, path.string())["text"].get<std::string>();
    for (const PiiSpan& span : find_pii(text)) {
      ++counts[span.kind];
      mobiles += span.kind == Pii::phone && text.compare(span.begin, 2, "01") == 0;
      if (std::getenv("HELIO_SHOW"))
        fmt::print("{} {}\n", name_of(span.kind), text.substr(span.begin, span.end - span.begin));
    }
  }
  for (const auto& [kind, count] : counts) fmt::print("{} {}\n", name_of(kind), count);
  // Counted by hand with wide regular expressions in the 3,165 texts of this file.
  EXPECT_EQ(documents, 3165);
  EXPECT_EQ(mobiles, 11);
  EXPECT_EQ(counts[Pii::email], 10);
  EXPECT_EQ(counts[Pii::phone] - mobiles, 9);
  EXPECT_EQ(counts[Pii::rrn] + counts[Pii::card], 0);
}

TEST(Pii, ResidentNumbersNeedADateAndBeforeOctober2020AChecksum) {
  EXPECT_TRUE(is_rrn("9001011234568"));
  EXPECT_FALSE(is_rrn("9001011234567"));  // checksum
  EXPECT_FALSE(is_rrn("9002301234568"));  // 30 February
  EXPECT_TRUE(is_rrn("2010013123456"));   // October 2020: no checksum any more
  EXPECT_FALSE(is_rrn("900101123456"));
  EXPECT_EQ(registered_as("9001015234567", CheckDigit::ignored), Registered::foreigner);
}

TEST(Pii, CheckDigitsFindASingleWrongDigit) {
  const auto all_changes_fail = [](const std::string& good, bool (*check)(std::string_view)) {
    EXPECT_TRUE(check(good)) << good;
    for (size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] = bad[i] == '9' ? '0' : char(bad[i] + 1);
      EXPECT_FALSE(check(bad)) << bad;
    }
  };
  all_changes_fail("4111111111111111", passes_luhn);
  all_changes_fail("1248100998", is_business_number);
  all_changes_fail("1301110006246", is_corporate_number);
}

std::vector<PiiSpan> spans_of(const std::string& text) { return find_pii(text); }

TEST(PiiSurrogates, KeepTheirFormAndAreNobodys) {
  const std::map<Pii, std::string> samples = {{Pii::email, "hong.gildong@mail.co.kr"},
                                              {Pii::phone, "010-1234-5678"},
                                              {Pii::hotline, "1588-1234"},
                                              {Pii::rrn, "900101-1234568"},
                                              {Pii::frn, "900101-5234567"},
                                              {Pii::ssn, "123-45-6789"},
                                              {Pii::passport, "M123A4567"},
                                              {Pii::driver, "11-12-345678-90"},
                                              {Pii::card, "4111-1111-1111-1111"},
                                              {Pii::account, "110-123-456789"},
                                              {Pii::business, "124-81-00998"},
                                              {Pii::corporate, "130111-0006246"},
                                              {Pii::ipv4, "93.184.216.34"},
                                              {Pii::ipv6, "2606:2800:220:1::1"},
                                              {Pii::address, "서울시 강남구 테헤란로 152"},
                                              {Pii::secret, "sk-abcdefghijklmnop1234"}};
  const auto shape = [](const std::string& text) {
    std::string out;
    for (const char c : text) out += std::isdigit(static_cast<unsigned char>(c)) ? '9' : c;
    return out;
  };
  for (const auto& [kind, value] : samples) {
    const std::string first = surrogate(kind, value, "key");
    EXPECT_EQ(first, surrogate(kind, value, "key")) << name_of(kind);
    EXPECT_NE(first, value) << name_of(kind);
    std::set<std::string> keys;
    for (int i = 0; i < 8; ++i) keys.insert(surrogate(kind, value, "key" + std::to_string(i)));
    EXPECT_GT(keys.size(), 1u) << name_of(kind);
    const bool digits_only = kind == Pii::phone || kind == Pii::rrn || kind == Pii::card ||
                             kind == Pii::business || kind == Pii::driver;
    if (digits_only) {
      EXPECT_EQ(shape(first), shape(value)) << first;
    }
    EXPECT_TRUE(text::is_valid_utf8(first)) << first;
    // Numbers are not found again: they can be nobody's.
    for (int i = 0; i < 50; ++i) {
      const std::string again = surrogate(kind, value, std::to_string(i));
      if (kind == Pii::email || kind == Pii::hotline || kind == Pii::address ||
          kind == Pii::secret || kind == Pii::account)
        continue;
      for (const PiiSpan& span : spans_of("값 " + again + " 끝"))
        ADD_FAILURE() << name_of(kind) << " " << again << " is found as " << name_of(span.kind);
    }
  }
  EXPECT_EQ(surrogate(Pii::phone, "01012345678", "k"), [] {
    std::string dashed = surrogate(Pii::phone, "010-1234-5678", "k");
    std::erase(dashed, '-');
    return dashed;
  }());
  EXPECT_EQ(starred("홍길동 a-1"), "*** *-*");
  EXPECT_EQ(starred("010-1234-5678", 4), "***-****-5678");
}

TEST(Pii, AnyBytesGiveSpansInOrderInsideTheText) {
  std::mt19937 random(7);
  const std::string pieces[] = {"010-1234-5678",
                                "@",
                                "9",
                                "-",
                                ".",
                                " ",
                                "서울시 강남구 테헤란로 ",
                                "a@b.org",
                                "2606:2800::",
                                "\xED\x95",
                                "(",
                                ")",
                                "+82",
                                "sk-",
                                "=",
                                "://u:p@h",
                                "M1",
                                "\xFF",
                                "123 Main Street, ",
                                "계좌 "};
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) text += pieces[random() % std::size(pieces)];
    size_t floor = 0;
    for (const PiiSpan& span : find_pii(text)) {
      ASSERT_LE(floor, span.begin) << text;
      ASSERT_LT(span.begin, span.end) << text;
      ASSERT_LE(span.end, text.size()) << text;
      floor = span.end;
      for (const Pii kind : {span.kind})
        ASSERT_FALSE(surrogate(kind, text.substr(span.begin, span.end - span.begin), "k").empty());
    }
  }
}

// Ten times the text must not take a hundred times the time; a quadratic scan would.
TEST(Pii, HostileRunsTakeLinearTime) {
  for (const std::string piece : {"1", "a1", "1.", "@", "a@", "a@a.", "1-", "1:", "::1", "+1",
                                  "서울시 ", "가로 1", "x=1_", "1 A ", "://a:"}) {
    std::string text;
    while (text.size() < (1u << 20)) text += piece;
    const auto begin = std::chrono::steady_clock::now();
    find_pii(text);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_LT(seconds, 10) << piece;
  }
}

}  // namespace
}  // namespace helio::data
