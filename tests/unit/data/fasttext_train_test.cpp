// Training in fastText's way: learns what there is to learn, the same bytes for any threads.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "data/fasttext/format.h"
#include "data/fasttext/model.h"
#include "data/fasttext/train.h"

namespace helio::data::fasttext {
namespace {

// The order of two words is all that tells the labels apart; filler words say nothing.
std::vector<Example> ordered_pairs() {
  std::vector<Example> examples;
  for (int i = 0; i < 400; ++i) {
    const std::string fill = " f" + std::to_string(i % 17) + " 글" + std::to_string(i % 13) + " ";
    if (i % 2) examples.push_back({fill + "red blue" + fill, "first"});
    else examples.push_back({fill + "blue red" + fill, "second"});
  }
  return examples;
}

std::string trained(const std::vector<Example>& examples, const TrainOptions& options,
                    int threads = 1) {
  SilentMonitor monitor;
  const StopRequest stop;
  return train(examples, options, threads, monitor, stop);
}

TEST(FastTextTrain, WordPairsAreLearntAndSingleWordsCannot) {
  const auto examples = ordered_pairs();
  TrainOptions options{.epochs = 10, .buckets = 2000};
  const std::string pairs = trained(examples, options);
  EXPECT_EQ(evaluate(Model(pairs, "m"), examples, 2).accuracy(), 1.0);
  options.word_ngrams = 1;
  const std::string words = trained(examples, options);
  EXPECT_LT(evaluate(Model(words, "m"), examples, 1).accuracy(), 0.7);
}

TEST(FastTextTrain, CharacterNgramsLearnUnseenWords) {
  std::vector<Example> examples;
  for (int i = 0; i < 300; ++i) {
    examples.push_back({"단어" + std::to_string(i * 7919 % 1000) + "습니다", "formal"});
    examples.push_back({"낱말" + std::to_string(i * 104729 % 1000) + "거든", "casual"});
  }
  const std::string bytes =
      trained(examples, {.epochs = 10, .word_ngrams = 1, .minn = 2, .maxn = 4, .buckets = 5000});
  const Model model(bytes, "m");
  EXPECT_EQ(model.predict("처음보는습니다").front().label, "formal");
  EXPECT_EQ(model.predict("처음보는거든").front().label, "casual");
}

TEST(FastTextTrain, BytesDependOnSeedAndNotOnThreads) {
  const auto examples = ordered_pairs();
  const TrainOptions options{.epochs = 2, .buckets = 500};
  const std::string one = trained(examples, options, 1);
  EXPECT_EQ(one, trained(examples, options, 3));
  TrainOptions other = options;
  other.seed = 2;
  EXPECT_NE(one, trained(examples, other, 1));
  const ModelFile file = parse_model_file(one, "m");
  EXPECT_EQ(file.labels.size(), 2u);
  EXPECT_EQ(file.args.bucket, 500);
  EXPECT_EQ(file.input.rows, int64_t(file.words.size()) + 500);
  EXPECT_TRUE(std::is_sorted(file.word_counts.rbegin(), file.word_counts.rend()));
}

TEST(FastTextTrain, FiguresAreThoseOfTheDefinition) {
  const auto examples = ordered_pairs();
  const std::string bytes = trained(examples, {.epochs = 10, .buckets = 2000});
  const Model model(bytes, "m");
  const std::vector<Example> given = {
      {"red blue", "first"}, {"blue red", "first"}, {"red blue", "second"}, {"red blue", "other"}};
  const Evaluation scores = evaluate(model, given, 1);
  EXPECT_EQ(scores.examples, 4);
  EXPECT_EQ(scores.right, 1);
  ASSERT_EQ(scores.labels.size(), 3u);
  EXPECT_EQ(scores.labels[0].label, "first");
  EXPECT_DOUBLE_EQ(scores.labels[0].precision(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(scores.labels[0].recall(), 0.5);
  EXPECT_DOUBLE_EQ(scores.labels[0].f1(), 0.4);
  EXPECT_EQ(scores.labels[1].recall(), 0);
}

TEST(FastTextTrain, HeldOutIsAShareAndGoesByTheText) {
  int held = 0;
  for (int i = 0; i < 2000; ++i) held += held_out("text " + std::to_string(i), 0.25, 1);
  EXPECT_NEAR(held, 500, 80);
  EXPECT_EQ(held_out("a", 0.5, 1), held_out("a", 0.5, 1));
  EXPECT_FALSE(held_out("a", 0, 1));
}

TEST(FastTextTrain, WhatCannotBeLearntIsAnError) {
  const auto message = [](const std::vector<Example>& examples, const TrainOptions& options) {
    try {
      trained(examples, options);
    } catch (const Error& error) {
      return error.message();
    }
    return std::string();
  };
  EXPECT_NE(message({}, {}).find("two labels"), std::string::npos);
  EXPECT_NE(message({{"a", "x"}, {"b", "x"}}, {}).find("two labels"), std::string::npos);
  EXPECT_NE(message({{"a", "x y"}, {"b", "z"}}, {}).find("white space"), std::string::npos);
  EXPECT_NE(message({{"a", "x"}, {"b", "z"}}, {.word_ngrams = 1, .min_count = 5}).find("often"),
            std::string::npos);
  EXPECT_NE(message({{"a", "x"}, {"b", "z"}}, {.minn = 3}).find("minn"), std::string::npos);
}

}  // namespace
}  // namespace helio::data::fasttext
