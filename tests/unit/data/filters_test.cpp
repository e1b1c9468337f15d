// Filters against datatrove 0.10.1 with the words each of them names, and words against spaCy
// (tests/fixtures/data_filters, recorded by tools/record/data_filters.py): on texts kept with the
// fixture, and on documents of the shared corpora where these are.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <set>

#include "core/fs.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/lines.h"
#include "data/op.h"
#include "data/words/words.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

namespace fs = std::filesystem;
const fs::path kFixture = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/data_filters";

std::vector<Json> read_rows(const fs::path& path) {
  std::vector<Json> rows;
  read_jsonl(path, [&](const Json& row, int64_t) { rows.push_back(row); });
  return rows;
}

// The recorded filters as ours are configured: operator and options.
const std::map<std::string, std::pair<std::string, std::string>> kFilters = {
    {"quality", {"filter.gopher_quality", "{preset: english-spacy}"}},
    {"quality_split", {"filter.gopher_quality", "{preset: english-whitespace}"}},
    {"repetition", {"filter.gopher_repetition", "{preset: english-spacy}"}},
    {"repetition_split", {"filter.gopher_repetition", "{}"}},
    {"fineweb", {"filter.fineweb", "{preset: english-spacy}"}},
    {"fineweb_split", {"filter.fineweb", "{}"}},
    {"fineweb_zero", {"filter.fineweb", "{line_punct_exclude_zero: true}"}},
    {"fineweb_ko", {"filter.fineweb", "{preset: korean-fineweb2, words: whitespace}"}},
    {"c4", {"filter.c4", "{}"}},
    {"c4_fineweb", {"filter.c4", "{filter_no_terminal_punct: false}"}},
    {"c4_sentences", {"filter.c4", "{split: sentences}"}},
    {"c4_terminal", {"filter.c4", "{sentences: terminal, min_num_sentences: 3}"}},
    {"c4_terminal_sentences",
     {"filter.c4", "{sentences: terminal, split: sentences, min_num_sentences: 2}"}},
    {"c4_paragraph", {"filter.c4_paragraph", "{}"}},
    {"c4_badwords",
     {"filter.c4_badwords", "{bad_words: [darn, blast it, so-and-so, 나쁜말, ugh!]}"}}};

// In the form of the recording: the reason, or keep and what a Map leaves of the text.
std::string judged(const AnyOp& op, const std::string& text) {
  Document document;
  document.text = text;
  if (const auto* filter = std::get_if<std::unique_ptr<Filter>>(&op)) {
    const Verdict verdict = (*filter)->judge(document);
    return verdict.kept ? "keep" : verdict.reason;
  }
  Counters counters;
  const Verdict verdict = std::get<std::unique_ptr<Map>>(op)->apply(document, counters);
  if (!verdict.kept) return verdict.reason;
  return fmt::format("keep {:016x}", xxh64(document.text));
}

AnyOp make(const std::string& op, const std::string& options) {
  return find_op(op).make(parse_yaml(options, "test"));
}

std::string spacy_line(const std::string& text) {
  static const auto spacy = make_words("spacy-en");
  std::vector<std::string_view> words;
  spacy->split(text, words);
  std::string joined;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) joined += '\n';
    joined += words[i];
  }
  return fmt::format("{} {:016x}", words.size(), xxh64(joined));
}

TEST(DatatroveFilters, DecideAlikeWithTheSameReasonAndText) {
  const auto rows = read_rows(kFixture / "texts.jsonl.gz");
  ASSERT_GT(rows.size(), 300u);
  std::set<std::string> said;
  for (const auto& [name, how] : kFilters) {
    const AnyOp op = make(how.first, how.second);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto text = rows[i]["text"].get<std::string>();
      std::string theirs = rows[i][name].get<std::string>();
      // Where datatrove divides by zero: a document without words is too short for quality.
      if (theirs == "ZeroDivisionError") theirs = "gopher_short_doc";
      EXPECT_EQ(judged(op, text), theirs) << name << ", row " << i << ": " << text.substr(0, 300);
      said.insert(name + ": " + theirs.substr(0, 4));
    }
    EXPECT_TRUE(said.contains(name + ": keep")) << name << " keeps nothing of the texts";
  }
}

TEST(SpacyWords, AreSpacysTokens) {
  const auto rows = read_rows(kFixture / "texts.jsonl.gz");
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto text = rows[i]["text"].get<std::string>();
    EXPECT_EQ(spacy_line(text), rows[i]["spacy"].get<std::string>())
        << "row " << i << ": " << text.substr(0, 300);
  }
}

TEST(DatatroveFilters, UrlsAreJudgedAlike) {
  const Json lists = parse_json(read_file(kFixture / "lists.json"), "lists.json");
  const fs::path folder =
      fs::temp_directory_path() / ("helio_url_lists_" + std::to_string(getpid()));
  fs::create_directories(folder);
  const auto put = [&](const char* name) {
    std::string text;
    for (const auto& line : lists[name]) text += line.get<std::string>() + "\n";
    write_file_atomic(folder / name, text);
    return (folder / name).string();
  };
  const AnyOp op =
      make("filter.url",
           fmt::format("{{domains: [{}], urls: [{}], banned_words: [{}], banned_subwords: [{}], "
                       "soft_banned_words: [{}], public_suffixes: {}}}",
                       put("extra_domains"), put("extra_urls"), put("banned_words"),
                       put("banned_subwords"), put("soft_banned_words"), put("public_suffixes")));
  fs::remove_all(folder);
  const Filter& filter = *std::get<std::unique_ptr<Filter>>(op);
  std::set<std::string> reasons;
  for (const Json& row : read_rows(kFixture / "urls.jsonl.gz")) {
    Document document;
    document.url = row["url"].get<std::string>();
    const Verdict verdict = filter.judge(document);
    const std::string ours = verdict.kept ? "keep" : verdict.reason;
    EXPECT_EQ(ours, row["said"].get<std::string>()) << document.url;
    reasons.insert(ours);
  }
  EXPECT_EQ(reasons.size(), 7u);
}

TEST(DatatroveFilters, DecideAlikeOnTheSharedCorpora) {
  const fs::path folder = fs::path(HELIO_SOURCE_DIR) / "../shared/data/corpora";
  const fs::path shared =
      fs::exists(folder) ? folder : fs::path(HELIO_SOURCE_DIR) / "../../shared/data/corpora";
  if (!fs::exists(shared)) GTEST_SKIP() << "needs ../shared/data/corpora";
  std::map<std::string, std::vector<Json>> by_file;
  for (const Json& row : read_rows(kFixture / "corpus.jsonl.gz"))
    by_file[row["file"].get<std::string>()].push_back(row);
  std::map<std::string, AnyOp> ops;
  for (const auto& [name, how] : kFilters) ops.emplace(name, make(how.first, how.second));
  size_t checked = 0;
  for (const auto& [file, rows] : by_file) {
    size_t next = 0;
    LineReader reader(shared / file);
    for (std::string_view line; next < rows.size() && reader.next(line);) {
      const Json& row = rows[next];
      if (row["row"].get<int64_t>() + 1 != reader.number()) continue;
      ++next;
      const auto text = parse_json(std::string(line), file)["text"].get<std::string>();
      ASSERT_EQ(fmt::format("{:016x}", xxh64(text)), row["hash"].get<std::string>()) << file;
      for (const auto& [name, op] : ops) {
        if (!row.contains(name)) continue;
        ++checked;
        EXPECT_EQ(judged(op, text), row[name].get<std::string>())
            << name << ", " << file << " row " << reader.number();
      }
      if (row.contains("spacy")) {
        EXPECT_EQ(spacy_line(text), row["spacy"].get<std::string>());
      }
    }
    EXPECT_EQ(next, rows.size()) << file;
  }
  EXPECT_GT(checked, 50'000u);
}

}  // namespace
}  // namespace helio::data
