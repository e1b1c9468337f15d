#include "eval/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/lines.h"
#include "eval/choices.h"
#include "eval/statistics.h"
#include "eval/template.h"
#include "fake_model.h"

namespace helio::eval {
namespace {

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(TaskFiles, EveryOneIsWhole) {
  EXPECT_GE(task_files().size(), 7u);
  for (const auto& file : task_files())
    EXPECT_FALSE(find_task(file.name).about.empty()) << file.name;
  EXPECT_EQ(find_task("mmlu").subjects.size(), 57u);
}

TEST(TaskFiles, MistakesAreNamedWithTheirPlace) {
  const auto error = [](const std::string& yaml) {
    return error_of([&] { read_task(yaml, "t", "t.task.yaml"); });
  };
  const std::string good =
      "mode: multiple_choice\ndata: {places: [x], split: test}\nprompt: q\nchoices: [a]\ngold: "
      "g\nmetrics: [acc]\nmain_metric: acc\n";
  EXPECT_EQ(error(good), "");
  EXPECT_NE(error(good + "promt: q\n").find("t.task.yaml:8:1"), std::string::npos);
  EXPECT_NE(error(good + "promt: q\n").find("prompt"), std::string::npos);
  EXPECT_NE(error(good + "choices_from: c\n").find("exactly one"), std::string::npos);
  EXPECT_NE(error(good + "prepare: magic\n").find("magic"), std::string::npos);
  EXPECT_NE(error(good + "needs: pairs\n").find("needs: benchmarks"), std::string::npos);
  EXPECT_NE(error("mode: multiple_choice\nmetrics: [recall]\nmain_metric: recall\n")
                .find("no metric 'recall'"),
            std::string::npos);
  EXPECT_NE(error("mode: essay\n").find("essay"), std::string::npos);
  EXPECT_NE(error("- 1\n"), "");
  EXPECT_NE(error_of([] { find_task("hellaswagg"); }).find("'hellaswag'"), std::string::npos);
  EXPECT_NE(error_of([] { find_task("/no/such.task.yaml"); }), "");
}

TEST(TaskFiles, ATaskOfOnesOwnIsAPath) {
  TempDir dir;
  const auto file = dir.write(
      "colours.task.yaml",
      "mode: multiple_choice\ndata: {places: [\"colours/{split}\"], split: test}\nprompt: "
      "\"The {thing} is\"\n"
      "choices_from: colours\ngold: answer\nmetrics: [acc, acc_norm]\nmain_metric: acc\n");
  dir.write("bench/colours/test.jsonl", R"({"thing":"sky","colours":["red","blue"],"answer":1})");
  const auto task =
      make_task(find_task(file.string()), {.benchmarks = (dir.path() / "bench").string()});
  EXPECT_EQ(task->spec().name, "colours");
  EXPECT_EQ(task->asks(0)[1].context + task->asks(0)[1].continuation, "The sky is blue");
}

TEST(Template, OnlyFields) {
  const Json document = {
      {"q", "why?"}, {"n", 3}, {"list", {"a", "b"}}, {"deep", {{"x", "y"}}}, {"r", 1.5}};
  EXPECT_EQ(fill("{q} {n} {list.1} {deep.x} {{q}", document), "why? 3 b y {q}");
  EXPECT_NE(error_of([&] { fill("{nope}", document); }).find("its fields: "), std::string::npos);
  for (const char* bad :
       {"{list.2}", "{list.-1}", "{list.99999999999999999999}", "{q", "{r}", "{list}", "{}"})
    EXPECT_NE(error_of([&] { fill(bad, document); }), "") << bad;
}

TEST(EncodePair, SplitsAsLmEval) {
  FakeModel model({});
  const auto text = [&](const std::vector<text::TokenId>& ids) {
    return model.tokenizer().decode(ids, text::SpecialTokens::skip);
  };
  auto pair = encode_pair("Answer:", " A", model);
  EXPECT_EQ(text(pair.context), "Answer:");
  EXPECT_EQ(text(pair.continuation), " A");
  pair = encode_pair("답변: \u3000\n", " 예", model);  // whitespace at the end moves over
  EXPECT_EQ(text(pair.context), "답변:");
  EXPECT_EQ(text(pair.continuation), " \u3000\n 예");
  pair = encode_pair("", "start", model);
  EXPECT_EQ(pair.context, (std::vector<text::TokenId>{0}));
  EXPECT_EQ(text(pair.continuation), "start");
  EXPECT_TRUE(encode_pair("full", "", model).continuation.empty());
}

TEST(EncodePair, BosOnceAndOnlyWhenTheTokenizerAddsIt) {
  FakeModel adds({.adds_bos = true}), plain({});
  EXPECT_EQ(encode_pair("ab", "c", adds).context.size(), 3u);
  EXPECT_EQ(encode_pair("ab", "c", plain).context.size(), 2u);
  EXPECT_EQ(encode_pair("<bos>ab", "c", adds).context.size(), 3u)
      << "written out in the text: no second one";
  EXPECT_EQ(encode_pair("ab", "c", adds).continuation.size(), 1u);
  FakeModel neither({.ids = {}});
  EXPECT_NE(error_of([&] { encode_pair("", "c", neither); }), "");
}

ChoiceTask one_item(std::vector<int64_t> lengths) {
  TaskSpec spec = find_task("hellaswag");
  ChoiceItem item{.id = "0", .gold = 1};
  for (const auto length : lengths) {
    item.contexts = {"c"};
    item.continuations.emplace_back(static_cast<size_t>(length) + 1, 'x');
    item.lengths.push_back(length);
  }
  return ChoiceTask(spec, {item}, {Part{.total = 1, .end = 1}}, "", {});
}

TEST(Choices, FirstOfEqualsWinsAndLengthIsInCharacters) {
  auto judged = one_item({4, 4}).judge(0, {}, {{-2.0}, {-2.0}});
  EXPECT_EQ(judged.metrics[0].value, 0.0) << "as numpy.argmax";
  judged = one_item({2, 8}).judge(0, {}, {{-2.0}, {-4.0}});
  EXPECT_EQ(judged.metrics[0].value, 0.0);
  EXPECT_EQ(judged.metrics[1].value, 1.0) << "-1 and -0.5 a character";
  judged = one_item({0, 8}).judge(0, {}, {{-0.1}, {-4.0}});
  EXPECT_EQ(judged.metrics[1].value, 1.0) << "an empty choice is never preferred by length";
}

TEST(Statistics, MeanAsLmEval) {
  const auto some = mean({1, 0, 0, 1, 1});
  EXPECT_DOUBLE_EQ(some.value, 0.6);
  EXPECT_NEAR(*some.stderr_, std::sqrt(0.6 * 0.4 / 4), 1e-15);
  EXPECT_FALSE(mean({1}).stderr_.has_value());
  EXPECT_EQ(mean({}).n, 0);
}

TEST(Statistics, WilsonStaysInsideAndCoversSmallSamples) {
  // Expected: Wilson's formula in Python floats.
  const auto none = proportion(0, 10);
  EXPECT_NEAR(none.interval->low, 0, 1e-12);
  EXPECT_NEAR(none.interval->high, 0.2775327998628892, 1e-12);
  const auto half = proportion(5, 10);
  EXPECT_NEAR(half.interval->low, 0.2365930905125640, 1e-12);
  EXPECT_NEAR(half.interval->high, 0.7634069094874360, 1e-12);
}

TEST(Statistics, GroupsPoolBySize) {
  const std::vector<Estimate> parts = {mean({1, 1, 0, 0}), mean({1, 1, 1, 1, 1, 0})};
  const auto all = pooled(parts);
  EXPECT_DOUBLE_EQ(all.value, 0.7);
  const double pool =
      (3 * 4 * std::pow(*parts[0].stderr_, 2) + 5 * 6 * std::pow(*parts[1].stderr_, 2)) / (10 - 2) /
      10;
  EXPECT_NEAR(*all.stderr_, std::sqrt(pool), 1e-15);
  EXPECT_FALSE(pooled({mean({1}), mean({0})}).stderr_.has_value())
      << "one item a part says nothing of the spread";
}

// SOLAR-10.7B-Instruct's MMLU as Evalverse published it: 57 subjects' scores and sizes give its
// total. (Its standard error was pooled in two steps by lm-eval 0.4.2; 0.0037855851539 is 0.4.13's
// for the same scores.)
TEST(Statistics, MmluOfAPublishedModel) {
  const char* root = std::getenv("HELIO_BENCHMARKS");
  const fs::path folder = root ? root : "/work/shared/data/benchmarks";
  const fs::path published =
      folder / "golden/evalverse/SOLAR-10.7B-Instruct-v1.0/h6_en/mmlu_5.json.gz";
  if (!fs::exists(published)) GTEST_SKIP() << "golden/evalverse is not in $HELIO_BENCHMARKS";
  std::string text;
  LineReader reader(published);
  for (std::string_view line; reader.next(line);) text.append(line) += "\n";
  const Json results = parse_json(text, "mmlu_5.json").at("results");
  const auto task = make_task(find_task("mmlu"), {.benchmarks = folder.string()});
  std::vector<Estimate> parts;
  for (const Part& part : task->parts()) {
    const double acc = results.at("mmlu_" + part.name).at("acc,none");
    const auto right = static_cast<int64_t>(std::llround(acc * static_cast<double>(part.total)));
    std::vector<double> items(static_cast<size_t>(part.total), 0.0);
    std::fill_n(items.begin(), right, 1.0);
    parts.push_back(mean(items));
    EXPECT_NEAR(parts.back().value, acc, 1e-15) << part.name;
    EXPECT_NEAR(*parts.back().stderr_,
                results.at("mmlu_" + part.name).at("acc_stderr,none").get<double>(), 1e-12)
        << part.name;
  }
  const auto all = pooled(parts);
  EXPECT_NEAR(all.value, results.at("mmlu").at("acc,none").get<double>(), 1e-15);
  EXPECT_NEAR(*all.stderr_, 0.0037855851539, 1e-13);
}

TEST(Statistics, RatioWeighsByBytes) {
  const auto r = ratio({{.value = 10, .weight = 5}, {.value = 30, .weight = 10}});
  EXPECT_DOUBLE_EQ(r.value, 40.0 / 15);
  EXPECT_NEAR(*r.stderr_,
              std::sqrt(2 * (std::pow(10 - r.value * 5, 2) + std::pow(30 - r.value * 10, 2))) / 15,
              1e-15);
}

TEST(Statistics, AtChanceIsWithinTwoStandardErrors) {
  EXPECT_TRUE(at_chance({.value = 0.30, .stderr_ = 0.03}, 0.25));
  EXPECT_FALSE(at_chance({.value = 0.32, .stderr_ = 0.03}, 0.25));
  EXPECT_TRUE(at_chance({.value = 1}, 0.25)) << "one item cannot say";
}

}  // namespace
}  // namespace helio::eval
