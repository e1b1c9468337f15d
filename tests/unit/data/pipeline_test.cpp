#include "data/pipeline.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "../support/temp_dir.h"
#include "club/lot.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/lines.h"
#include "data/insight/explain.h"
#include "data/spool.h"

namespace helio::data {
namespace {

void make_lot(const TempDir& dir, const std::string& name, const std::string& language,
              const std::vector<std::pair<std::string, std::string>>& texts,
              const std::string& format = "text") {
  club::LotWriter writer(dir.path() / name, {.lot = name,
                                             .partner = "P " + name,
                                             .licence = "CC0-1.0",
                                             .language = language,
                                             .source = "test"});
  for (const auto& [path, text] : texts) writer.add({name + "/" + path, text, format, path});
  Manifest manifest;
  manifest.made_by = "test";
  writer.finish(manifest);
}

// Texts enough for several slices of the parallel loops, with everything that can happen to one.
void make_lots(const TempDir& dir) {
  std::vector<std::pair<std::string, std::string>> en, ko;
  // Numbers make no difference to near-duplicates, so each page has words of its own.
  const auto words = [](const char* stem, int page, int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += stem + std::string{char('a' + page % 26), char('a' + page / 26), char('a' + i)} + " ";
    return text;
  };
  for (int i = 0; i < 150; ++i) {
    const std::string n = std::to_string(i);
    en.emplace_back("p" + n + ".html",
                    "<nav>menu</nav><h1>Page " + n + "</h1><p>The page is about the " +
                        words("thing", i, 20) + " that can be changed and it is in the book of " +
                        words("name", i, 9) + "</p><p>All rights reserved by the authors</p>");
    ko.emplace_back("p" + n, "쪽 " + n + "\n설정은 " + words("차림", i, 12) +
                                 " 메뉴에서 바꿀 수 있으며 " + words("그림", i, 12) + " 연락은 a" +
                                 n + "@b.org 로 하십시오.");
  }
  en.emplace_back("empty.html", "<nav>only</nav>");
  en.emplace_back("copy.html", en[3].second);
  ko.emplace_back("copy", ko[5].second);
  ko.emplace_back("short", "짧다");
  ko.emplace_back(
      "english",
      "This is the page that was never translated and that is in the Korean book still.");
  make_lot(dir, "a-en", "en", en, "html");
  make_lot(dir, "b-ko", "ko", ko);
}

const char* const kSteps = R"(
- extract.html
- clean.unicode
- {op: clean.boilerplate_lines, min_documents: 20}
- dedup.exact
- {op: dedup.minhash, min_similarity: 0.95}
- {op: language.identify, languages: [ko, en]}
- {op: filter.length, min_words: 5}
- {op: filter.hangul_ratio, for: ko, min_ratio: 0.3}
- pii.mask
- {op: split.heldout, share: 0.2}
- {op: mix.shuffle, seed: 5}
)";

PipelineOptions options_for(const TempDir& dir, const std::string& out,
                            const char* steps = kSteps) {
  PipelineOptions options;
  options.lots = {(dir.path() / "a-en").string(), (dir.path() / "b-ko").string()};
  options.steps = parse_yaml(steps, "steps.yaml");
  options.out = (dir.path() / out).string();
  return options;
}

Account run(const PipelineOptions& options, int threads) {
  SilentMonitor monitor;
  StopRequest stop;
  return run_pipeline(options, threads, monitor, stop);
}

std::map<std::string, Json> rows_of(const fs::path& dir) {
  std::map<std::string, Json> rows;
  for (const fs::path& file : list_files(dir, {".jsonl.zst"}))
    if (file.parent_path() == dir)
      read_jsonl(file, [&](const Json& row, int64_t) { rows[row["id"].get<std::string>()] = row; });
  return rows;
}

TEST(Pipeline, EveryDocumentIsKeptOrDroppedOnceAndTheSumsHold) {
  TempDir dir;
  make_lots(dir);
  const Account account = run(options_for(dir, "out"), 2);
  const auto kept = rows_of(dir.path() / "out"), dropped = rows_of(dir.path() / "out/dropped");
  EXPECT_EQ(kept.size() + dropped.size(), 305u);
  for (const auto& [id, row] : dropped) {
    EXPECT_FALSE(kept.contains(id)) << id;
    EXPECT_FALSE(row["reason"].get<std::string>().empty()) << id;
    EXPECT_FALSE(row["step"].get<std::string>().empty()) << id;
  }
  ASSERT_EQ(account.lots.size(), 2u);
  EXPECT_EQ(account.lots[0].in.documents, 152);
  EXPECT_EQ(account.lots[1].in.documents, 153);
  const Json written = load_json(dir.path() / "out/dataset.json");
  int64_t in = 305;
  std::map<std::string, int64_t> by_step;
  for (const auto& [id, row] : dropped) ++by_step[row["step"].get<std::string>()];
  for (const auto& step : written["steps"]) {
    EXPECT_EQ(step["in"].get<int64_t>(), in) << step;
    EXPECT_EQ(step["dropped"].get<int64_t>(), by_step[step["step"].get<std::string>()]) << step;
    in = step["out"].get<int64_t>();
  }
  EXPECT_EQ(in, int64_t(kept.size()));
  EXPECT_EQ(written["splits"]["train"]["documents"].get<int64_t>() +
                written["splits"]["heldout"]["documents"].get<int64_t>(),
            in);
  EXPECT_GT(written["splits"]["heldout"]["documents"].get<int64_t>(), 0);
  EXPECT_GT(written["pii"]["email"].get<int64_t>(), 100);
}

TEST(Pipeline, DropsWhatItShouldForTheRightReason) {
  TempDir dir;
  make_lots(dir);
  run(options_for(dir, "out"), 2);
  const auto dropped = rows_of(dir.path() / "out/dropped");
  const auto reason = [&](const char* id) { return dropped.at(id)["reason"].get<std::string>(); };
  EXPECT_EQ(reason("a-en/empty.html"), "html_without_text");
  EXPECT_EQ(reason("a-en/copy.html"), "exact_duplicate");
  EXPECT_EQ(reason("b-ko/copy"), "exact_duplicate");
  EXPECT_EQ(reason("b-ko/short"), "too_few_words");
  const auto kept = rows_of(dir.path() / "out");
  EXPECT_EQ(kept.at("b-ko/english")["language"], "en");  // hangul_ratio is for: ko alone
  EXPECT_EQ(kept.at("a-en/p3.html")["cluster"], "a-en/p3.html");
  EXPECT_EQ(kept.at("a-en/p3.html")["text"].get<std::string>().find("rights reserved"),
            std::string::npos);
}

TEST(Pipeline, TheNumberOfThreadsAndTheFolderDoNotShowInTheBytes) {
  TempDir dir, other;
  make_lots(dir);
  make_lots(other);
  run(options_for(dir, "out"), 1);
  run(options_for(other, "out"), 5);
  const auto files = list_files(dir.path() / "out");
  EXPECT_GE(files.size(), 5u);
  for (const fs::path& file : files) {
    const fs::path name = file.lexically_relative(dir.path());
    EXPECT_EQ(read_file(file), read_file(other.path() / name)) << name;
  }
}

TEST(Pipeline, WrongStepsAreNamedWithTheirPlaceBeforeAnythingIsRead) {
  TempDir dir;  // without lots: the steps are read first
  const struct {
    const char *steps, *message, *hint;
  } cases[] = {
      {"- filter.lenght\n", "steps.yaml:1:3: no operator is called 'filter.lenght'",
       "did you mean 'filter.length'?"},
      {"- {op: filter.length, min_word: 3}\n", "steps.yaml:1:23: unknown key 'min_word'",
       "did you mean 'min_words'?"},
      {"- {min_words: 3}\n", "steps.yaml:1:3: a step is the name of an operator or a map with 'op'",
       "for example"},
      {"- {op: dedup.exact, for: ko}\n", "steps.yaml:1:3: 'for' does not go with dedup.exact", ""},
      {"{}", "steps.yaml:1:1: 'steps' is a list of operators", "helio data ops"}};
  for (const auto& item : cases) {
    try {
      run(options_for(dir, "out", item.steps), 1);
      ADD_FAILURE() << item.steps;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      EXPECT_TRUE(error.message().starts_with(item.message)) << error.message();
      EXPECT_TRUE(error.hint().starts_with(item.hint)) << error.hint();
    }
    EXPECT_FALSE(fs::exists(dir.path() / "out"));
  }
}

TEST(Pipeline, AStopLeavesOnlyTheWorkFromWhichTheNextRunGoesOn) {
  TempDir dir;
  make_lots(dir);
  SilentMonitor monitor;
  StopRequest stop;
  stop.raise();
  EXPECT_THROW(run_pipeline(options_for(dir, "out"), 2, monitor, stop), Error);
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(dir.path()))
    names.insert(entry.path().filename().string());
  EXPECT_EQ(names, (std::set<std::string>{".out.work", "a-en", "b-ko"}));
  run(options_for(dir, "out"), 2);
  EXPECT_TRUE(fs::exists(dir.path() / "out/dataset.json"));
}

TEST(Pipeline, ExplainTellsWhatBecameOfADocument) {
  TempDir dir;
  make_lots(dir);
  run(options_for(dir, "out"), 2);
  const OrderedJson dropped = explain(dir.path() / "out", "b-ko/short").json();
  EXPECT_EQ(dropped["fate"], "dropped");
  EXPECT_EQ(dropped["step"], "filter.length");
  EXPECT_EQ(dropped["value"], 1.0);
  const OrderedJson kept = explain(dir.path() / "out", "b-ko/p7").json();
  EXPECT_EQ(kept["fate"], "kept");
  EXPECT_EQ(kept["changed"], (Json::array({"clean.unicode", "pii.mask"})));
  try {
    explain(dir.path() / "out", "b-ko/short.txt");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
  }
}

TEST(Pipeline, AnUnevenAccountIsAnInternalError) {
  Account account;
  account.lots.push_back({.in = {3, 30, 300}, .out = {2, 20, 200}});
  account.languages["ko"] = account.splits["train"] = {2, 20, 200};
  EXPECT_THROW(account.balance(), Error);
  account.lots[0].dropped["short"] = 1;
  account.steps.push_back(
      {.step = "s", .in = 3, .out = 2, .dropped = 1, .reasons = {{"short", 1}}});
  EXPECT_NO_THROW(account.balance());
  account.steps[0].reasons["short"] = 2;
  EXPECT_THROW(account.balance(), Error);
}

TEST(Spool, PartsAreReadAloneAndTornFilesAreFound) {
  TempDir dir;
  const fs::path path = dir.path() / "parts.bin";
  const std::vector<std::string> parts = {"first", "", std::string(5000, 'x'), "last"};
  EXPECT_FALSE(parts_are_there(path, 4));
  write_parts(path, parts);
  ASSERT_TRUE(parts_are_there(path, 4));
  for (size_t i = 0; i < parts.size(); ++i) EXPECT_EQ(read_part(path, i), parts[i]);
  EXPECT_THROW(read_part(path, 4), Error);
  const std::string whole = read_file(path);
  for (size_t at = 0; at < whole.size(); at += at < 200 ? 1 : 97) {
    std::string broken = whole;
    broken[at] = char(broken[at] ^ 0x41);
    write_file_atomic(path, broken);
    size_t wrong = 0;
    for (size_t i = 0; i < parts.size(); ++i) try {
        EXPECT_EQ(read_part(path, i), parts[i]);
      } catch (const Error&) {
        ++wrong;
      }
    EXPECT_TRUE(wrong > 0 || !parts_are_there(path, 4)) << at;
    write_file_atomic(path, whole.substr(0, at));
    EXPECT_FALSE(parts_are_there(path, 4)) << at;
    EXPECT_FALSE(fs::exists(path));
  }
}

}  // namespace
}  // namespace helio::data
