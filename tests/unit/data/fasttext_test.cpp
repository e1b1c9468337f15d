// fastText models: equal to libfasttext's answers (recorded by tools/record/fasttext_models.py),
// and safe whatever the file holds.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/rng.h"
#include "data/fasttext/model.h"

namespace helio::data::fasttext {
namespace {

const fs::path kFixtures = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/fasttext";
const fs::path kLid = fs::path(HELIO_SOURCE_DIR) / "../shared/data/lists/lid.176.ftz";

const Json& golden() {
  static const Json json = load_json(kFixtures / "golden.json");
  return json;
}

std::string join(const Json& texts, size_t i) { return texts[i].get<std::string>().substr(0, 60); }

// Labels equal in order (where neighbours' scores differ by more than rounding), scores to 1e-5.
void expect_equal(const Model& model, const Json& texts, const Json& answers, int32_t k) {
  ASSERT_EQ(texts.size(), answers.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto found = model.predict(texts[i].get<std::string>(), k);
    const Json& expected = answers[i];
    ASSERT_EQ(found.size(), expected.size()) << join(texts, i);
    for (size_t j = 0; j < found.size(); ++j) {
      EXPECT_NEAR(found[j].score, expected[j][1].get<double>(), 1e-5) << join(texts, i);
      if (found[j].label == expected[j][0].get<std::string>()) continue;
      const auto same = std::find_if(expected.begin(), expected.end(), [&](const Json& pair) {
        return pair[0].get<std::string>() == found[j].label;
      });
      // The last of k may differ where two labels tie for the place.
      const double score =
          same == expected.end() ? expected.back()[1].get<double>() : (*same)[1].get<double>();
      EXPECT_NEAR(score, found[j].score, 1e-5) << join(texts, i) << found[j].label;
    }
  }
}

class TinyModels : public testing::TestWithParam<const char*> {};

TEST_P(TinyModels, AnswerAsLibfasttextDoes) {
  const Model model(kFixtures / GetParam());
  const Json& answers = golden()["models"].at(GetParam()).at("answers");
  expect_equal(model, golden()["texts"], answers, std::string(GetParam()) == "qout.ftz" ? 5 : 0);
}

INSTANTIATE_TEST_SUITE_P(FastText, TinyModels,
                         testing::Values("softmax.bin", "hs.bin", "ova.bin", "words.bin",
                                         "plain.ftz", "norm.ftz", "pruned.ftz", "qout.ftz"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(FastText, TheLanguageModelAnswersAsLibfasttextDoes) {
  if (!fs::exists(kLid)) GTEST_SKIP() << "no ../shared/data/lists/lid.176.ftz";
  const Model model(kLid);
  EXPECT_EQ(model.labels().size(), 176u);
  const Json& lid = golden()["lid"];
  expect_equal(model, lid["texts"], lid["answers"], 3);
}

TEST(FastText, NewLinesAreSpacesAndPartsAreOneText) {
  const Model model(kFixtures / "softmax.bin");
  const auto whole = model.predict("click here now", 0);
  EXPECT_EQ(whole[0].label, "bad");
  const auto lines = model.predict("click\nhere\r\nnow", 0);
  const std::vector<std::string_view> parts = {"click", "here now"};
  const auto apart = model.predict(parts, 0);
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(whole[i].score, lines[i].score);
    EXPECT_EQ(whole[i].score, apart[i].score);
  }
}

TEST(FastText, SampledPartsLieBetweenWords) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "낱말" + std::to_string(i) + " ";
  EXPECT_EQ(sample_parts("short text", 100).size(), 1u);
  EXPECT_EQ(sample_parts(text, 0).front().size(), text.size());
  const auto parts = sample_parts(text, 1000);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].substr(0, 6), "낱말");
  for (const auto part : parts) {
    EXPECT_NEAR(double(part.size()), 1000, 64);
    EXPECT_NE(part.find_first_of("0123456789"), std::string_view::npos);
  }
  EXPECT_EQ(parts[1].front(), ' ');
  EXPECT_EQ(parts[2].data() + parts[2].size(), text.data() + text.size());
  const std::string unbroken(9001, '\x80');  // no separator, no character start: still in bounds
  EXPECT_EQ(sample_parts(unbroken, 1000).size(), 3u);
}

TEST(FastText, WhatIsNoModelIsRefusedByName) {
  const auto refused = [](std::string_view bytes) {
    try {
      const Model model(bytes, "x.bin");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid);
      return error.message();
    }
    return std::string("accepted");
  };
  EXPECT_NE(refused("").find("x.bin: not a usable fastText model"), std::string::npos);
  EXPECT_NE(refused("hello, I am text").find("does not begin like one"), std::string::npos);
  std::string vectors = read_file(kFixtures / "words.bin");
  vectors[8 + 7 * 4] = 2;  // a skip-gram model
  EXPECT_NE(refused(vectors).find("word vectors"), std::string::npos);
  EXPECT_THROW(Model(fs::path("/nonexistent/m.bin")), Error);
}

// Cut short anywhere, or with bytes changed anywhere: an Error or a model that still answers, but
// never a fault (run under the sanitizers too).
TEST(FastText, BrokenFilesNeverHarm) {
  const std::string text = "click free 무료 연구 결과는 see you w1";
  int refused = 0, accepted = 0;
  const auto attempt = [&](const std::string& bytes) {
    try {
      const Model model(bytes, "mutant");
      for (const Prediction& found : model.predict(text, 0)) EXPECT_LE(found.score, 1.0001f);
      ++accepted;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid) << error.what();
      ++refused;
    }
  };
  Rng rng(11);
  for (const char* name : {"hs.bin", "ova.bin", "norm.ftz", "pruned.ftz", "qout.ftz"}) {
    const std::string good = read_file(kFixtures / name);
    for (size_t i = 0; i < 60; ++i) attempt(good.substr(0, rng.below(good.size())));
    for (size_t at = 0; at < 96; ++at)
      for (const int value : {0, 0x7F, 0x80, 0xFF}) {
        std::string bad = good;
        bad[at] = char(value);
        attempt(bad);
      }
    for (int i = 0; i < 200; ++i) {
      std::string bad = good;
      for (uint64_t n = 1 + rng.below(4); n > 0; --n)
        bad[rng.below(bad.size())] = char(rng.below(256));
      attempt(bad);
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace helio::data::fasttext
