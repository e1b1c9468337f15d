#include "text/bpe_train.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "text/tokenizer.h"
#include "text/tokenizer/split_known.h"

namespace helio::text {
namespace {

const fs::path kFixtures = fs::path(HELIO_SOURCE_DIR) / "tests/fixtures/bpe";
const std::vector<std::string> kSpecial = {"<|endoftext|>", "<|user|>", "<|assistant|>",
                                           "<|system|>"};

CountedWords count(const std::vector<std::string>& texts, const BpeTrainOptions& options) {
  const auto cutter = word_cutter(options);
  CountedWords counted;
  for (const auto& text : texts)
    cutter.cut(text, [&](std::string_view word) { counted.table.add(word); });
  counted.words = static_cast<int64_t>(counted.table.size());
  return counted;
}

TrainedBpe train(const std::vector<std::string>& texts, const BpeTrainOptions& options) {
  SilentMonitor monitor;
  return train_bpe(count(texts, options), options, monitor, StopRequest());
}

std::vector<std::string> corpus() {
  std::vector<std::string> texts;
  read_jsonl(kFixtures / "corpus.jsonl",
             [&](const Json& row, int64_t) { texts.push_back(row["text"]); });
  return texts;
}

TEST(BpeTrain, WritesTheFileThatHuggingFaceWritesByteForByte) {
  const auto texts = corpus();
  const Json settings = load_json(kFixtures / "settings.json");
  for (const std::string variant : {"byte_level", "split", "frequency"}) {
    const Json& s = settings["variants"][variant];
    const BpeTrainOptions options{
        .vocab_size = s["vocab_size"],
        .min_frequency = s["min_frequency"],
        .special_tokens = kSpecial,
        .pattern = s["pattern"].is_null() ? Pattern::gpt2 : Pattern::llama3};
    EXPECT_EQ(tokenizer_json(train(texts, options), options),
              read_file(kFixtures / variant / "tokenizer.json"))
        << variant;
  }
}

TEST(BpeTrain, DoesNotDependOnTheOrderOfTheTextsNorOnHowTheyWereCounted) {
  auto texts = corpus();
  const BpeTrainOptions options{.vocab_size = 400, .min_frequency = 1, .special_tokens = kSpecial};
  const auto expected = train(texts, options);
  std::reverse(texts.begin(), texts.end());
  EXPECT_EQ(train(texts, options).merges, expected.merges);
  WordTable all, half;
  const auto whole = count(texts, options);
  whole.table.for_each([&](std::string_view word, int64_t count) {
    all.add(word, count / 2);
    half.add(word, count - count / 2);
  });
  CountedWords joined;
  joined.table.add(half);
  joined.table.add(all);
  joined.words = whole.words;
  EXPECT_EQ(joined.table.size(), whole.table.size());
  SilentMonitor monitor;
  EXPECT_EQ(train_bpe(std::move(joined), options, monitor, StopRequest()).merges, expected.merges);
}

TEST(BpeTrain, TiesGoToTheSmallerIds) {
  const BpeTrainOptions options{
      .vocab_size = 259, .min_frequency = 1, .special_tokens = {}, .pattern = Pattern::gpt2};
  const auto trained = train({"cd", "ab", "dc"}, options);
  ASSERT_EQ(trained.merges.size(), 3u);
  EXPECT_EQ(trained.merges[0], (std::pair<std::string, std::string>{"a", "b"}));
  EXPECT_EQ(trained.merges[1], (std::pair<std::string, std::string>{"c", "d"}));
  EXPECT_EQ(trained.merges[2], (std::pair<std::string, std::string>{"d", "c"}));
}

TEST(BpeTrain, StopsWhenNothingIsFrequentEnough) {
  const BpeTrainOptions options{
      .vocab_size = 5000, .min_frequency = 3, .special_tokens = {}, .pattern = Pattern::gpt2};
  EXPECT_EQ(train({"ab ab", "ab"}, options).merges.size(),
            1u);  // " a" and "ab": only ab three times
  EXPECT_TRUE(train({}, options).merges.empty());
}

TEST(BpeTrain, ThreadsDoNotChangeTheMerges) {
  // So many words that the first merges are made by all threads at once.
  CountedWords words;
  for (int64_t i = 0; i < 90000; ++i)
    words.table.add("aab" + std::to_string(i * 7919 % 1000003) + "aaab", 1 + i % 5);
  words.words = static_cast<int64_t>(words.table.size());
  const auto copy = [&] {
    CountedWords copied;
    copied.table.add(words.table);
    copied.words = words.words;
    return copied;
  };
  SilentMonitor monitor;
  BpeTrainOptions options{.vocab_size = 700, .special_tokens = {}};
  const auto one = train_bpe(copy(), options, monitor, StopRequest());
  EXPECT_EQ(one.merges.size(), 444u);
  for (const int threads : {2, 5}) {
    options.threads = threads;
    EXPECT_EQ(train_bpe(copy(), options, monitor, StopRequest()).merges, one.merges);
  }
}

TEST(BpeTrain, OnlyTheMostFrequentWordsWhenAsked) {
  const std::vector<std::string> texts = {"aa aa aa", "bb", "cc", "aa"};  // " aa" 2, "aa" 2
  BpeTrainOptions options{
      .vocab_size = 300, .min_frequency = 1, .special_tokens = {}, .pattern = Pattern::gpt2};
  EXPECT_EQ(train(texts, options).words, 4);
  options.max_words = 3;  // "bb" and "cc" are equally rare: both go
  const auto trained = train(texts, options);
  EXPECT_EQ(trained.words, 2);
  EXPECT_EQ(trained.words_left_out, 2);
  EXPECT_EQ(trained.least_count, 2);
  EXPECT_EQ(trained.merges.size(), 2u);
  options.max_words = 1;
  EXPECT_THROW(train(texts, options), Error);
}

TEST(BpeTrain, AVocabularyTooSmallIsAnError) {
  EXPECT_THROW(train({"a"}, {.vocab_size = 257}), Error);
}

TEST(BpeTrain, CanBeStopped) {
  StopRequest stop;
  stop.raise();
  SilentMonitor monitor;
  const BpeTrainOptions options{.vocab_size = 600};
  EXPECT_THROW(train_bpe(count(corpus(), options), options, monitor, stop), Error);
}

TEST(TokenizerFolder, HasItsRolesAndLoads) {
  const TempDir temp;
  const fs::path& dir = temp.path();
  const BpeTrainOptions options{.vocab_size = 300};
  const auto trained = train(corpus(), options);
  write_tokenizer_folder(dir, trained, options, {});
  const auto tokenizer = load_tokenizer(dir);
  const auto ids = load_special_ids(dir, *tokenizer);
  EXPECT_EQ(ids.eos, 0);
  EXPECT_EQ(ids.bos, 0);
  EXPECT_EQ(ids.pad, 1);
  EXPECT_EQ(tokenizer->vocab_size(), 300);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("안녕 hello\n")), "안녕 hello\n");
  EXPECT_THROW(write_tokenizer_folder(dir, trained, options, {.eos = "</s>"}), Error);
}

}  // namespace
}  // namespace helio::text
