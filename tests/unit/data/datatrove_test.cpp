// Decisions, simplified texts and signatures against what datatrove 0.10.1 said of the same texts
// (tests/fixtures/datatrove_filters, recorded by tools/record/datatrove_filters.py).
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/hash.h"
#include "core/json.h"
#include "core/lines.h"
#include "data/dedup/minhash.h"
#include "data/dedup/simplify.h"
#include "data/op.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

const std::vector<Json>& rows() {
  static const std::vector<Json> all = [] {
    std::vector<Json> read;
    read_jsonl(HELIO_SOURCE_DIR "/tests/fixtures/datatrove_filters/rows.jsonl.gz",
               [&](const Json& row, int64_t) { read.push_back(row); });
    return read;
  }();
  return all;
}

const std::string kLinesOff =
    "dup_line_frac: 0, dup_para_frac: 0, dup_line_char_frac: 0, dup_para_char_frac: 0";

// The recorded filters as ours are configured: operator and options.
std::map<std::string, std::pair<std::string, std::string>> filters() {
  std::map<std::string, std::pair<std::string, std::string>> all = {
      {"quality", {"filter.gopher_quality", "{}"}},
      {"quality_ko",
       {"filter.gopher_quality",
        "{min_avg_word_length: 1.5, max_avg_word_length: 8, min_stop_words: 0, min_doc_words: "
        "20}"}},
      {"quality_no_length",
       {"filter.gopher_quality",
        "{min_doc_words: 1, min_avg_word_length: 0, max_avg_word_length: 0}"}},
      {"quality_long", {"filter.gopher_quality", "{max_doc_words: 100}"}},
      {"repetition", {"filter.gopher_repetition", "{}"}},
      {"repetition_n_grams", {"filter.gopher_repetition", "{" + kLinesOff + "}"}},
      {"repetition_chars", {"filter.gopher_repetition", "{dup_line_frac: 0, dup_para_frac: 0}"}}};
  const std::vector<std::string> shares = {"0.15", "0.14", "0.13", "0.12", "0.11", "0.10"};
  for (size_t n = 5; n <= 10; ++n) {
    std::string list;
    for (size_t m = 5; m <= 10; ++m) list += (m > 5 ? ", " : "") + (m == n ? shares[m - 5] : "9");
    all["repetition_" + std::to_string(n)] = {
        "filter.gopher_repetition",
        "{" + kLinesOff + ", top_n_grams: [9, 9, 9], dup_n_grams: [" + list + "]}"};
  }
  return all;
}

TEST(Datatrove, FiltersDecideAlikeWithTheSameFirstReason) {
  std::set<std::string> reasons;
  for (const auto& [name, filter] : filters()) {
    const AnyOp op = find_op(filter.first).make(parse_yaml(filter.second, "test"));
    const Filter& ours = *std::get<std::unique_ptr<Filter>>(op);
    for (size_t i = 0; i < rows().size(); ++i) {
      Document document;
      document.text = rows()[i]["text"].get<std::string>();
      const Verdict verdict = ours.judge(document);
      const std::string said = verdict.kept ? "keep" : verdict.reason;
      reasons.insert(said);
      EXPECT_EQ(said, rows()[i][name].get<std::string>())
          << name << ", row " << i << ": " << text::first_code_points(document.text, 200);
    }
  }
  // The texts reach every rule: 9 of quality and 'keep', 13 of repetition and 'empty'.
  EXPECT_EQ(reasons.size(), 25u);
}

TEST(Datatrove, TextsAreSimplifiedAlike) {
  for (size_t i = 0; i < rows().size(); ++i) {
    std::string theirs;
    text::for_each_word(rows()[i]["simple"].get<std::string>(), [&](std::string_view word) {
      theirs += (theirs.empty() ? "" : " ") + std::string(word);
    });
    EXPECT_EQ(SimpleWords(rows()[i]["text"].get<std::string>()).text(), theirs) << "row " << i;
  }
}

TEST(Datatrove, MinHashSignaturesAreTheSame) {
  const MinHash minhash({});
  for (size_t i = 0; i < rows().size(); ++i) {
    std::vector<uint64_t> theirs;
    for (const auto& slot : rows()[i]["signature"])
      theirs.push_back(std::stoull(slot.get<std::string>(), nullptr, 16));
    EXPECT_EQ(minhash.signature(rows()[i]["text"].get<std::string>()), theirs) << "row " << i;
  }
}

TEST(Datatrove, MinHashParametersAreNumpysRandomStateOfOne) {
  const MinHash minhash({});
  const auto a = minhash.multipliers();
  const auto b = minhash.increments();
  EXPECT_EQ(a[0], 775169054918279404u);
  EXPECT_EQ(a[1], 1758426461858698313u);
  EXPECT_EQ(a[111], 223865076026037746u);
  EXPECT_EQ(b[0], 1062448801025099917u);
  EXPECT_EQ(b[111], 1097409548522419201u);
  std::string bytes(reinterpret_cast<const char*>(a.data()), a.size() * 8);
  bytes.append(reinterpret_cast<const char*>(b.data()), b.size() * 8);
  EXPECT_EQ(sha256_hex(bytes), "3b8ce0e5ff06d6950b72f62ef5ff619cfa984cd0c52ce62b94ae10ded4e80c8d");
  EXPECT_EQ(xxh64("a b c d e"), 10121740836305097868u);
}

}  // namespace
}  // namespace helio::data
