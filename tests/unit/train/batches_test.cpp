#include <map>

#include "core/error.h"
#include "text/chat.h"
#include "train/chunks.h"
#include "train/conversation_rows.h"
#include "train/preferences.h"
#include "train/token_batches.h"
#include "workspace.h"

namespace helio::train {
namespace {

class TokenRows : public testing::Test {
 protected:
  void SetUp() override {
    write_tokens(dir_ / "tokens", {});
    shards_ = std::make_unique<text::TokenShards>(dir_ / "tokens", "train");
  }
  std::vector<int32_t> document(int64_t index) const {
    const auto& place = shards_->document(index);
    std::vector<int32_t> ids(place.end - place.begin);
    shards_->read(place, 0, ids);
    return ids;
  }
  TempDir dir_;
  std::unique_ptr<text::TokenShards> shards_;
};

std::vector<Row> rows_of(const Batches& batches, int64_t step) {
  std::vector<Row> rows;
  for (auto& micro : batches.step(step))
    for (auto& row : micro.rows) rows.push_back(std::move(row));
  return rows;
}

TEST_F(TokenRows, EveryTokenIsATargetOnceAPass) {
  const TokenBatches batches(*shards_, {.sequence = 17, .batch_size = 3, .epochs = 2, .seed = 5});
  EXPECT_EQ(batches.targets(), 2 * shards_->tokens());
  std::map<std::vector<int32_t>, int> documents, expected;
  for (int64_t i = 0; i < shards_->documents(); ++i) expected[document(i)] += 2;
  std::vector<int32_t> stream;
  for (int64_t s = 1; s <= batches.steps(); ++s)
    for (const Row& row : rows_of(batches, s)) {
      EXPECT_LE(row.targets.size(), 17u);
      stream.insert(stream.end(), row.targets.begin(), row.targets.end());
    }
  EXPECT_EQ(static_cast<int64_t>(stream.size()), batches.targets());
  std::vector<int32_t> open;
  for (const int32_t id : stream) {
    open.push_back(id);
    if (id == shards_->eos()) {
      ++documents[open];
      open.clear();
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(documents, expected);
}

TEST_F(TokenRows, InputsAreTheTargetsShiftedWithinADocument) {
  const TokenBatches batches(*shards_, {.sequence = 16, .batch_size = 4, .seed = 1});
  std::vector<int32_t> last;  // of the row before
  for (int64_t s = 1; s <= batches.steps(); ++s)
    for (const Row& row : rows_of(batches, s)) {
      ASSERT_EQ(row.inputs.size(), row.targets.size());
      ASSERT_EQ(row.starts.front(), 0);
      for (size_t i = 1; i < row.inputs.size(); ++i) EXPECT_EQ(row.inputs[i], row.targets[i - 1]);
      // A document begins with eos; one that goes on begins with the id before the cut.
      EXPECT_EQ(row.inputs[0], last.empty() ? shards_->eos() : last.back());
      for (size_t d = 1; d < row.starts.size(); ++d)
        EXPECT_EQ(row.inputs[static_cast<size_t>(row.starts[d])], shards_->eos());
      last = row.targets;
    }
}

TEST_F(TokenRows, OrderIsAFunctionOfSeedAndStepAlone) {
  const TokenBatches a(*shards_, {.sequence = 16, .batch_size = 4, .steps = 40, .seed = 9});
  const TokenBatches b(*shards_, {.sequence = 16, .batch_size = 4, .steps = 40, .seed = 9});
  const TokenBatches other(*shards_, {.sequence = 16, .batch_size = 4, .steps = 40, .seed = 10});
  EXPECT_GT(a.epoch(40), 2.0);  // several passes, each with its own order
  bool differs = false;
  for (const int64_t s : {40, 1, 17, 2}) {
    const auto rows = rows_of(a, s), again = rows_of(b, s), others = rows_of(other, s);
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].inputs, again[i].inputs);
      differs = differs || rows[i].inputs != others[i].inputs;
    }
  }
  EXPECT_TRUE(differs);
}

TEST_F(TokenRows, LotsSumToTheTokensTrained) {
  for (const int64_t steps : {1, 7, 23}) {
    const TokenBatches batches(*shards_,
                               {.sequence = 16, .batch_size = 4, .steps = steps, .seed = 2});
    std::map<int32_t, int64_t> counted;
    int64_t sum = 0;
    for (const int64_t tokens : batches.targets_by_lot(steps)) sum += tokens;
    EXPECT_EQ(sum, steps * 16 * 4);
  }
  // One whole pass is exactly what the lots hold.
  const TokenBatches pass(*shards_, {.sequence = 16, .batch_size = 4, .seed = 2});
  const auto counts = pass.targets_by_lot(pass.steps());
  for (size_t i = 0; i < counts.size(); ++i) EXPECT_EQ(counts[i], shards_->lots()[i].tokens);
}

TEST_F(TokenRows, MicroBatchesHoldTheSameRows) {
  const TokenBatches whole(*shards_, {.sequence = 16, .batch_size = 5, .steps = 2});
  const TokenBatches cut(*shards_,
                         {.sequence = 16, .batch_size = 5, .micro_batch_size = 2, .steps = 2});
  EXPECT_EQ(cut.step(1).size(), 3u);
  const auto a = rows_of(whole, 2), b = rows_of(cut, 2);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].inputs, b[i].inputs);
}

TEST_F(TokenRows, NamesTheDocumentsOfAStep) {
  const TokenBatches batches(*shards_, {.sequence = 16, .batch_size = 2, .steps = 3});
  const auto names = batches.documents(1);
  ASSERT_FALSE(names.empty());
  EXPECT_TRUE(names[0].starts_with("a #") || names[0].starts_with("b #")) << names[0];
}

TEST_F(TokenRows, ACorruptShardIsRefused) {
  const auto shard = dir_ / "tokens" / "train-00000.bin";
  std::string bytes = read_file(shard);
  bytes[3] = static_cast<char>(bytes[3] ^ 1);
  write_file_atomic(shard, bytes);
  EXPECT_THROW(text::TokenShards(dir_ / "tokens", "train"), Error);
}

TEST(Examples, EachIsUsedOnceAPass) {
  const ExampleOrder order({.examples = 10, .batch_size = 4, .epochs = 2, .seed = 3});
  EXPECT_EQ(order.steps_per_epoch(), 3);
  EXPECT_EQ(order.steps(), 6);
  for (const int64_t pass : {0, 1}) {
    std::vector<int64_t> seen;
    for (int64_t s = 1; s <= 3; ++s)
      for (const int64_t i : order.examples(3 * pass + s)) seen.push_back(i);
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, (std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
  EXPECT_NE(order.examples(1), order.examples(4));
  EXPECT_DOUBLE_EQ(order.epoch(3), 1);
  EXPECT_DOUBLE_EQ(order.epoch(4), 1.4);
}

text::ChatFormat solar_format(const text::Tokenizer& tokenizer) {
  return {text::solar_template_jinja(), "solar", {{"eos_token", "</s>"}}, tokenizer};
}

TEST(Conversations, LearnWhatTheAssistantSays) {
  const auto tokenizer = text::load_tokenizer(fixture("chat_solar"));
  const auto solar = solar_format(*tokenizer);
  const std::vector<text::Conversation> rows = {{.id = "one",
                                                 .messages = {{"user", "Hi there"},
                                                              {"assistant", "Hello."},
                                                              {"user", "More"},
                                                              {"assistant", "Yes."}}}};
  const auto encoded = encode_conversations(rows, solar, {.max_length = 512});
  ASSERT_EQ(encoded.train.size(), 1u);
  std::vector<text::TokenId> learned;
  for (const auto id : encoded.train[0].row.targets)
    if (id != kNotLearned) learned.push_back(id);
  EXPECT_EQ(tokenizer->decode(learned, text::SpecialTokens::add), "Hello.</s>Yes.</s>");
  const auto all = encode_conversations(rows, solar, {.max_length = 512, .loss_on = LossOn::all});
  EXPECT_EQ(all.train[0].row.learned(), static_cast<int64_t>(all.train[0].row.targets.size()));
}

TEST(Conversations, AreCutAtTheEndAndDroppedWithoutTargets) {
  const auto tokenizer = text::load_tokenizer(fixture("chat_solar"));
  const auto solar = solar_format(*tokenizer);
  const std::string long_text(400, 'x');
  const std::vector<text::Conversation> rows = {
      {.id = "cut", .messages = {{"user", "a"}, {"assistant", long_text}}},
      {.id = "lost", .messages = {{"user", long_text}, {"assistant", "a"}}}};
  const auto encoded = encode_conversations(rows, solar, {.max_length = 40});
  EXPECT_EQ(encoded.cut, 2);
  EXPECT_EQ(encoded.nothing_learned, 1);
  ASSERT_EQ(encoded.train.size(), 1u);
  EXPECT_EQ(encoded.train[0].id, "cut");
  EXPECT_EQ(encoded.train[0].row.inputs.size(), 39u);
}

TEST(Chunks, FollowTheMarginAndHoldEveryPairOnce) {
  const std::vector<double> margins = {0.5, -1, 2, 0.5, 0, 3, -2};
  using Chunks = std::vector<std::vector<size_t>>;
  EXPECT_EQ(make_chunks(margins, 2, "easy_to_hard", 0), (Chunks{{5, 2, 0, 3}, {4, 1, 6}}));
  EXPECT_EQ(make_chunks(margins, 3, "hard_to_easy", 0), (Chunks{{6, 1, 4}, {0, 3}, {2, 5}}));
  auto random = make_chunks(margins, 2, "random", 1);
  std::vector<size_t> all;
  for (const auto& chunk : random) all.insert(all.end(), chunk.begin(), chunk.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (std::vector<size_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_THROW(make_chunks({1.0}, 2, "random", 0), Error);
}

TEST(Chunks, MarginIsPerToken) {
  const EncodedPreference pair{.prompt = {1}, .chosen = {2, 3, 4, 5}, .rejected = {6}};
  EXPECT_DOUBLE_EQ(free_margin(pair, {.chosen = -8, .rejected = -3}), 1.0);
}

TEST(Chunks, AccuracyHasWilsonsInterval) {
  const OrderedJson json = Accuracy{.correct = 7, .of = 10}.json();
  EXPECT_NEAR(json["low"].get<double>(), 0.396780, 1e-5);
  EXPECT_NEAR(json["high"].get<double>(), 0.892210, 1e-5);
  const std::vector<EncodedPreference> pairs(2, {.prompt = {1}, .chosen = {2}, .rejected = {3}});
  const auto compared = compare(pairs, {{-1, -2}, {-3, -1}}, {{-2, -2}, {-3, -1}}, 0.5);
  EXPECT_EQ(compared.accuracy.correct, 1);  // the second is a tie: wrong
  EXPECT_DOUBLE_EQ(compared.margin, 0.25);
}

}  // namespace
}  // namespace helio::train
