// Conversations packed into rows: nothing lost or twice, the same losses and gradients as apart.
#include "train/packed_batches.h"

#include <map>

#include "core/rng.h"
#include "run_fixture.h"
#include "train/objective.h"
#include "train/sft.h"

namespace helio::train {
namespace {

using Example = ExampleBatches::Example;
using Pairs = std::map<std::pair<TokenId, TokenId>, int64_t>;

// Ids are the conversation's own, so that each can be told from all others.
std::vector<Example> conversations(size_t count, int64_t longest, TokenId vocabulary) {
  Rng rng(5);
  std::vector<Example> all;
  TokenId next = 0;
  for (size_t c = 0; c < count; ++c) {
    Example example{.id = "c" + std::to_string(c)};
    const auto length = 2 + rng.below(static_cast<uint64_t>(longest - 1));
    for (uint64_t i = 0; i < length; ++i) {
      example.row.inputs.push_back(next % vocabulary);
      ++next;
      example.row.targets.push_back(i < length / 2 ? kNotLearned : next % vocabulary);
    }
    all.push_back(std::move(example));
  }
  return all;
}

Pairs counted(const std::vector<Row>& rows) {
  Pairs pairs;
  for (const Row& row : rows)
    for (size_t i = 0; i < row.inputs.size(); ++i) ++pairs[{row.inputs[i], row.targets[i]}];
  return pairs;
}

std::vector<Row> rows_of(const Batches& batches, int64_t from, int64_t to) {
  std::vector<Row> rows;
  for (int64_t step = from; step <= to; ++step)
    for (MicroBatch& batch : batches.step(step))
      for (Row& row : batch.rows) rows.push_back(std::move(row));
  return rows;
}

PackedBatches::Options options(Packing packing) {
  return {.packing = packing, .length = 40, .order = {.batch_size = 3, .epochs = 2, .seed = 9}};
}

TEST(PackedConversations, EveryTokenIsReadAndLearnedOnceAPass) {
  const auto examples = conversations(50, 40, 1 << 30);
  std::vector<Row> apart;
  for (const Example& example : examples) apart.push_back(example.row);
  const Pairs expected = counted(apart);
  for (const Packing packing : {Packing::best_fit, Packing::stream}) {
    const PackedBatches batches(examples, options(packing));
    EXPECT_EQ(batches.steps() % 2, 0);
    const int64_t pass = batches.steps() / 2;
    for (const int64_t first : {int64_t(0), pass}) {
      const auto rows = rows_of(batches, first + 1, first + pass);
      EXPECT_EQ(static_cast<int64_t>(rows.size()), batches.rows());
      EXPECT_EQ(counted(rows), expected);
      for (const Row& row : rows) {
        EXPECT_LE(row.inputs.size(), 40u);
        EXPECT_EQ(row.starts.front(), 0);
        // Ids go up by one inside a conversation: a break is a start.
        for (size_t i = 1; i < row.inputs.size(); ++i)
          if (row.inputs[i] != row.inputs[i - 1] + 1) {
            EXPECT_TRUE(std::count(row.starts.begin(), row.starts.end(), int64_t(i)));
          }
      }
      std::map<std::string, int> named;
      for (int64_t step = first + 1; step <= first + pass; ++step)
        for (const std::string& id : batches.documents(step)) ++named[id];
      EXPECT_EQ(named.size(), 50u);
      if (packing == Packing::best_fit) {
        for (const auto& [id, times] : named) EXPECT_EQ(times, 1) << id;
      }
    }
    EXPECT_NE(counted(rows_of(batches, 1, 1)), counted(rows_of(batches, pass + 1, pass + 1)));
    EXPECT_DOUBLE_EQ(batches.epoch(batches.steps()), 2);
    EXPECT_GT(batches.fill(), 0.9);
  }
}

TEST(PackedConversations, BestFitTakesTheFullestRowThatHasRoom) {
  std::vector<Example> examples;
  for (const size_t length : {4, 7, 3, 6, 10})
    examples.push_back({.id = std::to_string(length),
                        .row = {.inputs = std::vector<TokenId>(length),
                                .targets = std::vector<TokenId>(length, 1)}});
  auto asked = options(Packing::best_fit);
  asked.length = 10;
  asked.order = {.batch_size = 8};
  const PackedBatches batches(examples, asked);
  EXPECT_EQ(batches.rows(), 3);  // 10, 7+3, 6+4
  EXPECT_DOUBLE_EQ(batches.fill(), 1);
}

TEST(PackedConversations, LossesAndGradientsAreThoseOfTheConversationsApart) {
  checkpoint::DecoderConfig config;
  config.vocab_size = 97;
  config.hidden_size = 24;
  config.intermediate_size = 32;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 6;
  config.max_positions = 64;
  model::Decoder model(config);
  model.initialise(7, 0.2);
  const auto examples = conversations(12, 40, 97);
  const auto objective = causal_lm();
  const auto run = [&](const std::vector<MicroBatch>& batches) {
    for (const auto& weight : model.parameters()) weight.tensor.mutable_grad().reset();
    double sum = 0, weight = 0;
    for (const MicroBatch& batch : batches) {
      const Loss loss = objective->loss(model, batch);
      loss.sum.backward();
      sum += loss.sum.item<double>();
      weight += loss.weight;
    }
    std::vector<at::Tensor> gradients;
    for (const auto& one : model.parameters()) gradients.push_back(one.tensor.grad().clone());
    return std::tuple(sum / weight, weight, gradients);
  };
  std::vector<MicroBatch> apart;
  for (const Example& example : examples) apart.push_back({.rows = {example.row}});
  const auto [loss, weight, gradients] = run(apart);
  auto asked = options(Packing::best_fit);
  asked.order = {.batch_size = 100};
  const PackedBatches batches(examples, asked);
  ASSERT_EQ(batches.steps(), 1);
  ASSERT_LT(batches.rows(), 12);
  const auto [packed_loss, packed_weight, packed] = run(batches.step(1));
  EXPECT_EQ(packed_weight, weight);
  EXPECT_NEAR(packed_loss, loss, 1e-5);
  for (size_t i = 0; i < gradients.size(); ++i)
    EXPECT_LT(difference(packed[i], gradients[i]),
              1e-5 * (1 + gradients[i].abs().max().item<double>()))
        << model.parameters()[i].name;
}

TEST_F(Runs, PackedFineTuningLearnsResumesAndCounts) {
  std::vector<Json> rows;
  for (int i = 0; i < 16; ++i)
    rows.push_back({{"prompt", "Say " + std::string(static_cast<size_t>(i % 7), 'a')},
                    {"completion", "It is " + std::to_string(i % 3)}});
  const std::string data = write_rows("sft.jsonl", rows);
  for (const std::string packing : {"best_fit", "stream"}) {
    SCOPED_TRACE(packing);
    const auto options_of = [&](const std::string& name) {
      SftOptions o;
      o.model = base();
      o.data = data;
      o.out = (dir_ / "models").string() + "/" + packing + name;
      o.run = (dir_ / "runs").string() + "/" + packing + name;
      o.max_length = 200;
      o.heldout = 0;
      o.packing = packing;
      o.sampling = tiny_sampling();
      o.train = tiny_training();
      o.train.batch_size = 2;
      o.train.steps = 0;
      o.train.epochs = 2;
      return o;
    };
    const RunSummary summary = SftRun(options_of("whole")).run(monitor_, stop_);
    EXPECT_LT(summary.last_loss, summary.first_loss);
    auto apart = options_of("apart");
    apart.packing = "none";
    EXPECT_EQ(SftRun(apart).run(monitor_, stop_).tokens, summary.tokens);
    const Json facts = load_manifest(options_of("whole").out).facts;
    EXPECT_LT(facts["packing"]["rows"], 16);
    EXPECT_GT(facts["packing"]["fill"], 0.5);
    auto o = options_of("cut");
    StopRequest stop;
    StopAt stopper(stop, 3);
    EXPECT_EQ(kind_of([&] { SftRun(o).run(stopper, stop); }), ErrorKind::interrupted);
    o.unfinished.resume = true;
    SftRun(o).run(monitor_, stop_);
    EXPECT_EQ(model_hash(packing + "cut"), model_hash(packing + "whole"));
    EXPECT_EQ(metrics(packing + "cut"), metrics(packing + "whole"));
  }
}

}  // namespace
}  // namespace helio::train
