// How a dataset explains itself: one document's way, other limits, two datasets side by side.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

#include "../support/mutate.h"
#include "../support/temp_dir.h"
#include "club/lot.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "data/insight/compare.h"
#include "data/insight/dataset_report.h"
#include "data/insight/explain.h"
#include "data/insight/histogram.h"
#include "data/insight/validate.h"
#include "data/insight/what_if.h"
#include "data/pipeline.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

void make_lot(const TempDir& dir, const std::string& name, const std::string& language,
              const std::vector<std::pair<std::string, std::string>>& texts) {
  club::LotWriter writer(dir.path() / "lots" / name, {.lot = name,
                                                      .partner = "P " + name,
                                                      .licence = "CC0-1.0",
                                                      .language = language,
                                                      .source = "test"});
  for (const auto& [path, text] : texts) writer.add({name + "/" + path, text, "html", path});
  Manifest manifest;
  manifest.made_by = "test";
  writer.finish(manifest);
}

// Pages of 1 to 60 words of their own, some with lines that repeat, some copies.
void make_lots(const TempDir& dir) {
  std::mt19937 random(7);
  for (const auto& [lot, language] : {std::pair{"a-en", "en"}, {"b-ko", "ko"}}) {
    std::vector<std::pair<std::string, std::string>> texts;
    for (int i = 0; i < 160; ++i) {
      std::string text;
      const int words = 1 + int(random() % 60);
      for (int w = 0; w < words; ++w)
        text += (lot[0] == 'a' ? "the word" : "낱말") + std::to_string(i) + "x" +
                std::to_string(w) + (random() % 9 == 0 ? "!\n" : " ");
      if (i % 7 == 0) text += "\nmail me at a" + std::to_string(i) + "@b.org  now";
      if (i % 11 == 0 && i > 0) text = texts[size_t(i - 11)].second;
      texts.emplace_back("p" + std::to_string(i), "<p>" + text + "</p>");
    }
    make_lot(dir, lot, language, texts);
  }
}

const char* const kSteps = R"(
- extract.html
- clean.unicode
- {op: filter.length, min_words: 6, max_words: 50}
- {op: filter.gopher_quality, for: en, min_doc_words: 12, max_doc_words: 45, min_stop_words: 0, min_avg_word_length: 2}
- pii.mask
- {op: filter.length, min_words: 9}
- dedup.exact
- {op: filter.length, max_chars: 300}
- {op: split.heldout, share: 0.2}
)";

std::string with(std::string steps, const std::string& from, const std::string& to) {
  const size_t at = steps.find(from);
  EXPECT_NE(at, steps.npos) << from;
  return steps.replace(at, from.size(), to);
}

Account run(const TempDir& dir, const std::string& out, const std::string& steps = kSteps,
            const std::string& figures = "deciding") {
  PipelineOptions options;
  options.lots = {(dir.path() / "lots/a-en").string(), (dir.path() / "lots/b-ko").string()};
  options.steps = parse_yaml(steps, "steps.yaml");
  options.out = (dir.path() / "datasets" / out).string();
  options.figures = figures;
  SilentMonitor monitor;
  StopRequest stop;
  return run_pipeline(options, 2, monitor, stop);
}

fs::path dataset(const TempDir& dir, const std::string& name) {
  return dir.path() / "datasets" / name;
}

TEST(Explain, TellsEveryStepWithItsFigures) {
  TempDir dir;
  make_lots(dir);
  run(dir, "out");
  int kept = 0, dropped = 0, by_filter = 0, masked = 0, copies = 0;
  for (int i = 0; i < 160; ++i) {
    const Explanation story = explain(dataset(dir, "out"), "a-en/p" + std::to_string(i));
    ASSERT_EQ(story.steps.size(), 9u);
    EXPECT_FALSE(story.original_from.empty());
    EXPECT_TRUE(story.notes.empty()) << story.notes[0];  // the replayed text is the stored one
    EXPECT_EQ(story.steps[0].outcome, Outcome::changed);
    EXPECT_FALSE(story.steps[0].diff.empty());
    ++(story.kept ? kept : dropped);
    bool gone = false;
    for (const ExplainedStep& step : story.steps) {
      EXPECT_EQ(step.outcome == Outcome::not_reached, gone) << step.step;
      if (step.outcome == Outcome::dropped) gone = true;
      if (step.outcome == Outcome::dropped && step.shape == Shape::filter) {
        ++by_filter;
        bool found = false;
        for (const ExplainedFigure& figure : step.figures)
          if (figure.fails() && !found) {
            found = true;
            EXPECT_EQ(figure.check.reason, step.reason);
            EXPECT_EQ(figure.figure, step.value);
          }
        EXPECT_TRUE(found) << story.id();
      }
      if (step.counters.contains("pii.email")) ++masked;
      if (step.step == "dedup.exact" && !step.stays.empty()) ++copies;
    }
    EXPECT_EQ(gone, !story.kept);
  }
  EXPECT_GT(kept, 20);
  EXPECT_GT(by_filter, 30);
  EXPECT_GT(masked, 5);
  EXPECT_GT(copies, 5);
}

TEST(Explain, SaysWhatItCannotTellWithoutTheLot) {
  TempDir dir;
  make_lots(dir);
  run(dir, "out");
  fs::rename(dir.path() / "lots", dir.path() / "elsewhere");
  fs::create_directories(dir.path() / "deep/er/still/far/away");
  fs::rename(dir.path() / "elsewhere", dir.path() / "deep/er/still/far/away/lots");
  const Explanation lost = explain(dataset(dir, "out"), "b-ko/p1");
  EXPECT_TRUE(lost.original_from.empty());
  ASSERT_EQ(lost.notes.size(), 1u);
  EXPECT_NE(lost.notes[0].find("--inputs"), std::string::npos);
  EXPECT_EQ(lost.steps[0].outcome, Outcome::changed);
  EXPECT_TRUE(lost.steps[0].diff.empty());
  const auto where = (dir.path() / "deep/er/still/far/away/lots").string();
  const Explanation found = explain(dataset(dir, "out"), "b-ko/p1", {.inputs = {where}});
  EXPECT_FALSE(found.steps[0].diff.empty());
  EXPECT_THROW(explain(dataset(dir, "out"), "b-ko/p1", {.inputs = {"/no/such"}}), Error);
}

// What a run says of each step, to be compared with what what-if says.
void expect_counts(const WhatIf& result, const Account& account, size_t first, size_t last) {
  for (size_t i = first; i < last; ++i) {
    SCOPED_TRACE(account.steps[i].step);
    const Decided& now = result.steps[i].now;
    EXPECT_EQ(now.in, account.steps[i].in);
    EXPECT_EQ(now.dropped, account.steps[i].dropped);
    EXPECT_EQ(now.reasons, account.steps[i].reasons);
    EXPECT_EQ(now.open, 0);
  }
}

TEST(WhatIf, GivesTheDatasetsOwnCountsWhenNothingChanges) {
  TempDir dir;
  make_lots(dir);
  for (const char* figures : {"deciding", "all"}) {
    const Account account = run(dir, figures, kSteps, figures);
    for (const std::vector<std::string>& settings :
         {std::vector<std::string>{}, {"filter.length.min_words=6"}}) {
      const WhatIf result = what_if(dataset(dir, figures), {.settings = settings});
      expect_counts(result, account, 0, account.steps.size());
      EXPECT_TRUE(result.exact);
      EXPECT_TRUE(result.changes.empty());
      EXPECT_EQ(result.json()["kept_now"], result.json()["kept_was"]);
    }
  }
}

TEST(WhatIf, EqualsARealRunUpToTheNextStage) {
  TempDir dir;
  make_lots(dir);
  run(dir, "deciding");
  run(dir, "all", kSteps, "all");
  struct Try {
    const char *from, *to, *set;
  };
  const Try kTries[] = {
      {"min_words: 6", "min_words: 20", "filter.length.min_words=20"},
      {"min_words: 6", "min_words: 1", "filter.length.min_words=1"},
      {"max_words: 50", "max_words: 0", "filter.length.max_words=0"},
      {"min_doc_words: 12", "min_doc_words: 2", "filter.gopher_quality [en].min_doc_words=2"},
      {"max_doc_words: 45", "max_doc_words: 15", "filter.gopher_quality.max_doc_words=15"},
      {"min_words: 9", "min_words: 30", "filter.length #2.min_words=30"}};
  int number = 0;
  for (const Try& one : kTries) {
    SCOPED_TRACE(one.set);
    const Account real =
        run(dir, "real" + std::to_string(number++), with(kSteps, one.from, one.to));
    for (const char* figures : {"deciding", "all"}) {
      const WhatIf result = what_if(dataset(dir, figures), {.settings = {one.set}});
      expect_counts(result, real, 0, 6);  // the steps before dedup.exact
      EXPECT_EQ(result.steps[6].now.in, real.steps[6].in);
      EXPECT_FALSE(result.changes.empty());
      // Exact where no document reaches the stage that did not, or the other way round.
      bool other_reasons = true;
      for (const auto& [kind, amount] : result.changes) other_reasons &= kind == "other_reason";
      EXPECT_EQ(result.exact, other_reasons);
      if (result.exact) EXPECT_EQ(result.json()["kept_now"], real.json()["out"]["documents"]);
      else EXPECT_TRUE(result.json()["kept_now"].is_null());
      int64_t documents = 0, by_lot = 0;
      for (const auto& [kind, amount] : result.changes) documents += amount.documents;
      for (const auto& [lot, kinds] : result.lots)
        for (const auto& [kind, amount] : kinds) by_lot += amount.documents;
      EXPECT_EQ(documents, by_lot);
    }
  }
}

TEST(WhatIf, IsExactToTheEndAfterTheLastStage) {
  TempDir dir;
  make_lots(dir);
  const std::string steps = with(kSteps, "- {op: split.heldout, share: 0.2}\n", "");
  const Account before = run(dir, "out", steps);
  for (const auto& [to, set] : {std::pair{"max_chars: 200", "filter.length #3.max_chars=200"},
                                {"max_chars: 0", "filter.length #3.max_chars=0"}}) {
    const Account real = run(dir, "real", with(steps, "max_chars: 300", to));
    const WhatIf result = what_if(dataset(dir, "out"), {.settings = {set}});
    expect_counts(result, real, 0, 8);
    EXPECT_TRUE(result.exact);
    EXPECT_EQ(result.json()["kept_now"], real.json()["out"]["documents"]) << set;
    EXPECT_NE(real.json()["out"]["documents"], before.json()["out"]["documents"]);
  }
}

TEST(WhatIf, LeavesOpenWhatFiguresAloneCannotTell) {
  TempDir dir;
  make_lots(dir);
  run(dir, "deciding");
  const WhatIf open = what_if(
      dataset(dir, "deciding"),
      {.settings = {"filter.length.min_words=1"}, .measure = WhatIfOptions::Measure::figures_only});
  EXPECT_GT(open.changes.at("open").documents, 5);
  EXPECT_EQ(open.steps[2].now.open, open.changes.at("open").documents);
  EXPECT_EQ(open.steps[2].was.dropped - open.steps[2].now.dropped, open.steps[2].now.open);
}

std::string error_of(const std::function<void()>& body, ErrorKind kind) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(int(error.kind()), int(kind)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(WhatIf, RefusesWhatFiguresCannotAnswer) {
  TempDir dir;
  make_lots(dir);
  run(dir, "out");
  run(dir, "none", kSteps, "none");
  const auto ask = [&](const std::string& setting, ErrorKind kind, const char* name = "out") {
    return error_of([&] { what_if(dataset(dir, name), {.settings = {setting}}); }, kind);
  };
  EXPECT_NE(ask("filter.lenght.min_words=3", ErrorKind::usage).find("filter.length"),
            std::string::npos);
  EXPECT_NE(ask("filter.length.min_wrods=3", ErrorKind::usage).find("min_words"),
            std::string::npos);
  EXPECT_NE(ask("filter.length.min_words=many", ErrorKind::invalid).find("whole number"),
            std::string::npos);
  EXPECT_NE(ask("filter.length.min_words", ErrorKind::usage).find("STEP.OPTION=VALUE"),
            std::string::npos);
  EXPECT_NE(ask("clean.unicode.form=nfkc", ErrorKind::usage).find("is a map"), std::string::npos);
  EXPECT_NE(ask("split.heldout.share=0.5", ErrorKind::usage).find("is a map"), std::string::npos);
  EXPECT_NE(ask("filter.gopher_quality.stop_words=[a]", ErrorKind::usage).find("measures"),
            std::string::npos);
  EXPECT_NE(ask("filter.length.max_chars=9", ErrorKind::usage).find("switched off"),
            std::string::npos);
  EXPECT_NE(ask("filter.length.min_words=3", ErrorKind::invalid, "none").find("no figures"),
            std::string::npos);
}

TEST(Compare, AddsUpAndNamesReasons) {
  TempDir dir;
  make_lots(dir);
  const Account a = run(dir, "a");
  const Account b = run(dir, "b",
                        with(with(kSteps, "min_words: 6", "min_words: 20"), "- pii.mask\n",
                             "- {op: pii.mask, kinds: [phone]}\n"));
  EXPECT_TRUE(compare_datasets(dataset(dir, "a"), dataset(dir, "a")).equal());
  const Comparison result = compare_datasets(dataset(dir, "a"), dataset(dir, "b"), {.examples = 2});
  EXPECT_FALSE(result.equal());
  int64_t sum = 0, by_lot = 0;
  for (const auto& [kind, count] : result.kinds) sum += count;
  for (const auto& [lot, kinds] : result.lots)
    for (const auto& [kind, count] : kinds) by_lot += count;
  EXPECT_EQ(sum, 320);
  EXPECT_EQ(by_lot, 320);
  const auto& gone = result.reasons.at("kept_to_dropped");
  int64_t reasons = 0;
  for (const auto& [reason, count] : gone) reasons += count;
  EXPECT_GT(gone.at("filter.length: too_few_words"), 5);
  EXPECT_EQ(reasons, result.kinds.at("kept_to_dropped"));
  EXPECT_GT(result.kinds.at("text"), 0);  // mail addresses stand in B
  for (const auto& [kind, ids] : result.examples) {
    EXPECT_LE(ids.size(), 2u);
    EXPECT_FALSE(ids.empty()) << kind;
  }
  EXPECT_FALSE(result.examples.contains("same"));
  // The other way round the same documents change sides.
  const Comparison back = compare_datasets(dataset(dir, "b"), dataset(dir, "a"));
  EXPECT_EQ(back.kinds.at("dropped_to_kept"), result.kinds.at("kept_to_dropped"));
  EXPECT_THROW(compare_datasets(dataset(dir, "a"), dir.path() / "lots/a-en"), Error);
}

TEST(Report, SumsAreTheAccounts) {
  TempDir dir;
  make_lots(dir);
  const Account account = run(dir, "out");
  const OrderedJson report = dataset_report(dataset(dir, "out"), {.samples = 2, .characters = 10});
  std::map<std::string, int64_t> dropped;
  for (const auto& reason : report["samples"]) {
    dropped[reason["step"].get<std::string>()] += reason["documents"].get<int64_t>();
    EXPECT_LE(reason["shown"].size(), 2u);
    EXPECT_FALSE(reason["shown"].empty());
    for (const auto& shown : reason["shown"])
      EXPECT_LE(text::count_code_points(shown["text"].get<std::string>()), 10);
  }
  for (const StepAccount& step : account.steps) EXPECT_EQ(dropped[step.step], step.dropped);
  for (const auto& check : report["checks"]) {
    int64_t sum = 0;
    for (const auto& bin : check["bins"]) sum += bin.get<int64_t>();
    EXPECT_EQ(sum, check["documents"].get<int64_t>());
    EXPECT_LE(check["lowest"].get<double>(), check["median"].get<double>());
    EXPECT_LE(check["median"].get<double>(), check["highest"].get<double>());
  }
  const auto& first = report["checks"][0];  // fewest and most words are one measure
  EXPECT_EQ(first["step"], "filter.length");
  EXPECT_EQ(first["checks"][0]["fails"].get<int64_t>(),
            account.steps[2].reasons.at("too_few_words"));
  int64_t gone = 0;
  for (const auto& row : report["duplicates"]["overlap"])
    for (const auto& count : row) gone += count.get<int64_t>();
  EXPECT_EQ(gone, account.steps[6].dropped);
  EXPECT_EQ(report["partners"].size(), 2u);
  const OrderedJson quiet = dataset_report(dataset(dir, "out"), {.samples = 0});
  EXPECT_EQ(quiet.dump().find("낱말"), std::string::npos);
}

// A dataset that somebody else's disk gave back: an error, or an answer, and nothing else.
TEST(Damage, IsAnErrorAndNeverACrash) {
  TempDir dir;
  make_lots(dir);
  run(dir, "out");
  const fs::path out = dataset(dir, "out");
  std::string rows;
  LineReader lines(out / "dropped/part-00000.jsonl.zst");
  for (std::string_view line; lines.next(line);) (rows += line) += '\n';
  const std::vector<std::pair<fs::path, std::string>> files = {
      {out / "dropped/part-00000.jsonl.zst", rows},
      {out / "dataset.json", read_file(out / "dataset.json")},
      {out / "duplicates.jsonl", read_file(out / "duplicates.jsonl")},
      {out / kManifestName, read_file(out / kManifestName)}};
  fs::path figures;
  for (const fs::path& file : list_files(out / "figures")) figures = file;
  const std::string figure_bytes = read_file(figures);
  constexpr std::string_view kPieces[] = {"\"", "{}", "[]", "null", "-1", "1e999", "\n", "number"};
  Rng rng(11);
  int refused = 0;
  const auto ask = [&](const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_NE(int(error.kind()), int(ErrorKind::internal)) << error.what();
      ++refused;
    }
  };
  for (int round = 0; round < 60; ++round) {
    const auto& [file, bytes] = files[size_t(round) % files.size()];
    write_file_atomic(file, mutate(bytes, kPieces, rng));
    if (round % 5 == 0) write_file_atomic(figures, mutate(figure_bytes, kPieces, rng));
    ask([&] { what_if(out, {.settings = {"filter.length.min_words=9"}}); });
    ask([&] { dataset_report(out); });
    ask([&] { explain(out, "a-en/p3"); });
    ask([&] { compare_datasets(out, out); });
    write_file_atomic(file, bytes);
    write_file_atomic(figures, figure_bytes);
  }
  EXPECT_GT(refused, 40);
}

TEST(Validate, NamesEveryProblemWithItsPlace) {
  const char* const kRecipe = R"(name: demo
stages:
  lots: {kind: club import}
  corpus:
    kind: data run
    lots: lost
    memory: much
    figurse: all
    steps:
      - extract.htlm
      - {op: filter.length, min_wrods: 3, max_words: many}
      - {op: pii.mask, kinds: [email, shoe]}
      - {op: dedup.exact, for: ko}
      - filter.length
)";
  const Validation result = validate(parse_yaml(kRecipe, "r.yaml"), "r.yaml");
  std::map<std::string, std::string> found;
  for (const Problem& problem : result.problems) {
    EXPECT_EQ(problem.stage, "corpus");
    found[problem.place] = problem.message + " " + problem.hint;
  }
  const auto says = [&](const char* place, const char* what) {
    ASSERT_TRUE(found.contains(place)) << place;
    EXPECT_NE(found[place].find(what), std::string::npos) << found[place];
  };
  says("r.yaml:6:11", "no earlier stage");
  says("r.yaml:7:5", "512M");
  says("r.yaml:8:5", "figures");
  says("r.yaml:10:9", "extract.html");
  says("r.yaml:11:29", "min_words");
  says("r.yaml:11:54", "whole number");
  says("r.yaml:12:9", "shoe");
  says("r.yaml:13:9", "'for' does not go");
  EXPECT_EQ(result.count(Problem::Weight::error), 7u);
  EXPECT_EQ(result.steps, 5u);
}

TEST(Validate, WarnsOfOrdersThatAreHardlyMeant) {
  const auto warnings = [](const char* steps) {
    std::vector<std::string> messages;
    for (const Problem& problem : validate(parse_yaml(steps, "s.yaml"), "s.yaml").problems) {
      EXPECT_EQ(int(problem.weight), int(Problem::Weight::warning)) << problem.message;
      messages.push_back(problem.message);
    }
    return messages;
  };
  EXPECT_TRUE(warnings(kSteps).empty());
  EXPECT_TRUE(warnings("[extract.html, clean.unicode, dedup.minhash, split.heldout]").empty());
  const auto found = warnings("[dedup.exact, clean.unicode, extract.html]");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[0].starts_with("dedup.exact before extract.html"));
  EXPECT_TRUE(found[1].starts_with("dedup.exact before clean.unicode"));
  EXPECT_EQ(warnings("[split.heldout, pii.mask]").size(), 1u);
  EXPECT_EQ(warnings("[dedup.minhash, dedup.exact]").size(), 1u);
  EXPECT_EQ(warnings("- {op: filter.length, for: ko}\n- language.identify").size(), 1u);
  EXPECT_EQ(warnings("- clean.unicode\n- clean.unicode").size(), 1u);
}

}  // namespace
}  // namespace helio::data
