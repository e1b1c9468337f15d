// The engine beside the plain loop of one sequence: the same tokens, however many run together.
#include "model/generation_engine.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "asked.h"
#include "core/error.h"

namespace helio::model {
namespace {

TEST(GenerationEngine, ManySequencesGiveWhatEachGivesAlone) {
  const Decoder decoder = tiny_decoder();
  const auto engine =
      make_generation_engine(tiny_decoder(), {.slots = 5, .page_tokens = 4, .prompt_tokens = 6});
  std::vector<Asked> all;
  for (uint64_t i = 0; i < 12; ++i)
    all.emplace_back(random_ids(static_cast<int64_t>(1 + i * 3), i), 15);
  std::vector<Asked*> pointers;
  for (auto& one : all) pointers.push_back(&one);
  run(*engine, pointers);
  for (uint64_t i = 0; i < 12; ++i) {
    EXPECT_EQ(all[i].sink->finish, Finish::length);
    EXPECT_EQ(all[i].sink->ids(),
              plain_greedy(decoder, random_ids(static_cast<int64_t>(1 + i * 3), i), 15))
        << i;
  }
  EXPECT_EQ(engine->load().running, 0);
}

// A decoder as evaluation runs it (packed f32), wide enough for whole vectors and a rest of them.
Decoder packed_decoder(const TempDir& dir) {
  auto config = tiny_config();
  config.hidden_size = 72;
  config.intermediate_size = 104;
  config.head_dim = 12;
  tiny_decoder(config).save(dir.path());
  return Decoder::load_packed(dir.path(), nn::WeightFormat::f32);
}

// Bits, not values near each other: what runs beside a sequence must not show.
TEST(GenerationEngine, AsAloneEveryNumberIsTheSameForAnyNumberOfSlots) {
  const TempDir dir;
  const auto answers = [&](EngineOptions options, size_t first, size_t count) {
    options.page_tokens = 4;
    const auto engine = make_generation_engine(packed_decoder(dir), options);
    std::vector<Asked> all;
    for (size_t i = first; i < first + count; ++i) {
      all.emplace_back(random_ids(static_cast<int64_t>(1 + i * 2), i),
                       static_cast<int64_t>(20 - i % 7));
      all.back().request.seed = i;
      if (i % 3 == 0) all.back().request.sampler.temperature = 0.7;
    }
    std::vector<Asked*> pointers;
    for (auto& one : all) pointers.push_back(&one);
    run(*engine, pointers);
    std::vector<std::pair<text::TokenId, float>> out;
    for (auto& one : all) {
      EXPECT_EQ(one.sink->finish, Finish::length) << one.sink->error;
      for (const auto& score : one.sink->scores) out.emplace_back(score.id, score.log_prob);
    }
    return out;
  };
  constexpr auto kAlone = Batching::as_alone;
  const auto one = answers({.slots = 1, .batching = kAlone}, 0, 21);
  EXPECT_EQ(answers({.slots = 3, .batching = kAlone}, 0, 21), one);
  EXPECT_EQ(answers({.slots = 40, .cache_tokens = 4000, .batching = kAlone}, 0, 21), one);
  EXPECT_EQ(answers({.slots = 8, .cache_tokens = 130, .batching = kAlone}, 0, 21), one);
  const auto small = make_generation_engine(
      packed_decoder(dir), {.cache_tokens = 32, .page_tokens = 4, .batching = kAlone});
  EXPECT_THROW(small->submit({Asked(random_ids(20, 1), 13).request}), Error);
  auto halves = answers({.slots = 5, .batching = kAlone}, 0, 9);
  const auto rest = answers({.slots = 6, .batching = kAlone}, 9, 12);
  halves.insert(halves.end(), rest.begin(), rest.end());
  EXPECT_EQ(halves, one);
}

TEST(GenerationEngine, AGrammarHoldsAnswers) {
  const auto engine =
      make_generation_engine(tiny_decoder(), {.slots = 3, .cache_tokens = 64, .page_tokens = 4});
  const auto grammar = tiny_grammar(R"g(root ::= "(" [0-9]{2,30} (")" | "!")?)g");
  std::vector<Asked> all;
  for (uint64_t i = 0; i < 9;
       ++i) {  // greedy and drawn, and more of them than the cache has room for
    all.emplace_back(random_ids(10, i), 40);
    all.back().request.grammar = grammar;
    all.back().request.stop_ids = {0};
    all.back().request.sampler.temperature = i % 3 == 0 ? 0 : 2;
    all.back().request.seed = i;
  }
  Asked free(random_ids(10, 3));
  std::vector<Asked*> pointers = {&free};
  for (auto& one : all) pointers.push_back(&one);
  run(*engine, pointers);
  EXPECT_EQ(free.sink->ids(), plain_greedy(tiny_decoder(), random_ids(10, 3), 20));
  for (auto& one : all) {
    std::string text;
    for (const auto id : one.sink->ids()) text += TinyTokenizer().token_bytes(id);
    text::GrammarMatcher matcher(grammar);
    EXPECT_TRUE(matcher.accept(text) && matcher.complete()) << text;
    EXPECT_TRUE(one.sink->finish == Finish::eos || one.sink->finish == Finish::stopped);
    EXPECT_EQ(one.sink->finish == Finish::eos, one.sink->ids().back() == 0);
    EXPECT_LT(one.sink->scores[0].log_prob, 0);  // the model's own, of all tokens
  }
  // No token of this vocabulary has such a byte.
  Asked stuck(random_ids(10, 1));
  stuck.request.grammar = tiny_grammar(R"(root ::= "한")");
  run(*engine, {&stuck});
  EXPECT_EQ(stuck.sink->finish, Finish::failed);
  EXPECT_NE(stuck.sink->error.find("no token"), std::string::npos);
}

TEST(GenerationEngine, SharedBeginningsAreRunOnce) {
  const Decoder decoder = tiny_decoder();
  const auto engine = make_generation_engine(tiny_decoder(), {.page_tokens = 4});
  auto prompt = random_ids(30, 9);
  Asked first(prompt);
  run(*engine, {&first});
  EXPECT_EQ(engine->load().reused_tokens, 0);
  prompt.back() = (prompt.back() + 1) % 61;
  Asked second(prompt);
  run(*engine, {&second});
  EXPECT_EQ(engine->load().reused_tokens, 28);
  EXPECT_EQ(second.sink->ids(), plain_greedy(decoder, prompt, 20));
}

TEST(GenerationEngine, AFullCacheTakesTurns) {
  const Decoder decoder = tiny_decoder();
  // Room for one sequence of 64 tokens; four want 50 each.
  const auto engine =
      make_generation_engine(tiny_decoder(), {.slots = 4, .cache_tokens = 64, .page_tokens = 4});
  std::vector<Asked> all;
  for (uint64_t i = 0; i < 4; ++i) all.emplace_back(random_ids(10, i), 40);
  run(*engine, {&all[0], &all[1], &all[2], &all[3]});
  for (uint64_t i = 0; i < 4; ++i)
    EXPECT_EQ(all[i].sink->ids(), plain_greedy(decoder, random_ids(10, i), 40)) << i;
  EXPECT_EQ(engine->load().cache_capacity, 64);
}

TEST(GenerationEngine, ScoresPromptsAndTokens) {
  const Decoder decoder = tiny_decoder();
  const auto engine =
      make_generation_engine(tiny_decoder(), {.page_tokens = 4, .prompt_tokens = 7});
  const auto ids = random_ids(20, 3);
  Asked asked(ids, 1);
  asked.request.prompt_scores = PromptScores::report;
  asked.request.top = 3;
  run(*engine, {&asked});
  const c10::AutoGradMode no_grad(false);
  const at::Tensor log_probs =
      decoder.logits(decoder.hidden(PackedBatch::rows(id_tensor(ids)))).log_softmax(-1).squeeze(0);
  ASSERT_EQ(asked.sink->prompt.size(), 19);
  for (int64_t i = 0; i < 19; ++i) {
    const auto& score = asked.sink->prompt[static_cast<size_t>(i)];
    EXPECT_EQ(score.id, ids[static_cast<size_t>(i + 1)]);
    EXPECT_NEAR(score.log_prob, log_probs[i][score.id].item<double>(), 1e-5);
    ASSERT_EQ(score.top.size(), 3);
    EXPECT_EQ(score.top[0].first, log_probs[i].argmax().item<int64_t>());
    EXPECT_GE(score.top[0].second, score.top[1].second);
  }
  EXPECT_NEAR(asked.sink->scores[0].log_prob, log_probs[19].max().item<double>(), 1e-5);
  Asked only(ids, 0);  // nothing to generate
  only.request.prompt_scores = PromptScores::report;
  run(*engine, {&only});
  EXPECT_EQ(only.sink->prompt.size(), 19);
  EXPECT_TRUE(only.sink->scores.empty());
}

TEST(GenerationEngine, EndsForEveryReason) {
  const Decoder decoder = tiny_decoder();
  const auto engine = make_generation_engine(tiny_decoder(), {.page_tokens = 8});
  const auto ids = random_ids(5, 1);
  const Ids all = plain_greedy(decoder, ids, 12);
  Asked eos(ids, 50);
  eos.request.stop_ids = {all[4]};
  run(*engine, {&eos});
  EXPECT_EQ(eos.sink->finish, Finish::eos);
  EXPECT_EQ(eos.sink->ids().back(), all[4]);
  Asked stopped(ids, 50);
  stopped.sink->enough = 3;
  run(*engine, {&stopped});
  EXPECT_EQ(stopped.sink->finish, Finish::stopped);
  EXPECT_EQ(stopped.sink->ids().size(), 3);
  Asked cancelled(ids, 50);
  cancelled.request.cancelled = std::make_shared<std::atomic<bool>>(true);
  run(*engine, {&cancelled});
  EXPECT_EQ(cancelled.sink->finish, Finish::cancelled);
  Asked longest(random_ids(60, 2), 50);  // 64 positions: the last token is not run any more
  run(*engine, {&longest});
  EXPECT_EQ(longest.sink->finish, Finish::length);
  EXPECT_EQ(longest.sink->ids().size(), 5);
}

TEST(GenerationEngine, SeedsAndOptionsDecideWhatIsDrawn) {
  const auto engine = make_generation_engine(tiny_decoder(), {});
  const auto drawn = [&](uint64_t seed, double temperature) {
    Asked asked(random_ids(5, 1), 20);
    asked.request.sampler.temperature = temperature;
    asked.request.seed = seed;
    run(*engine, {&asked});
    return asked.sink->ids();
  };
  EXPECT_EQ(drawn(1, 1.5), drawn(1, 1.5));
  EXPECT_NE(drawn(1, 1.5), drawn(2, 1.5));
  Asked banned(random_ids(5, 1), 20);
  for (text::TokenId id = 0; id < 61; ++id)
    if (id != 7) banned.request.sampler.bias.emplace_back(id, -1e9f);
  run(*engine, {&banned});
  EXPECT_EQ(banned.sink->ids(), Ids(20, 7));
}

TEST(GenerationEngine, RefusesWhatCannotRunAndWhatDoesNotFitIntoTheQueue) {
  const auto engine = make_generation_engine(tiny_decoder(), {.slots = 1, .waiting = 1});
  EXPECT_THROW(engine->submit({Asked({}).request}), Error);
  EXPECT_THROW(engine->submit({Asked({61}).request}), Error);
  EXPECT_THROW(engine->submit({Asked(random_ids(65, 1)).request}), Error);
  std::vector<Asked> many;
  for (int i = 0; i < 40; ++i) many.emplace_back(random_ids(4, 1), 50);
  bool refused = false;
  for (auto& one : many) {
    const bool taken = engine->submit({one.request});
    refused = refused || !taken;
    if (!taken) one.sink->finished(Finish::cancelled, "");
  }
  EXPECT_TRUE(refused);
  for (auto& one : many) one.sink->wait();
}

TEST(GenerationEngine, AnEngineThatEndsTellsEveryone) {
  Asked asked(random_ids(4, 1), 50), waiting(random_ids(4, 2), 50);
  {
    const auto engine = make_generation_engine(tiny_decoder(), {.slots = 1});
    ASSERT_TRUE(engine->submit({asked.request, waiting.request}));
  }
  asked.sink->wait();
  waiting.sink->wait();
}

TEST(GenerationEngine, Embeds) {
  const auto engine = make_generation_engine(tiny_decoder(), {});
  std::mutex mutex;
  std::condition_variable ready;
  std::vector<std::vector<float>> vectors;
  engine->embed({{1, 2, 3}, {4}}, [&](auto made, const std::string& error) {
    EXPECT_EQ(error, "");
    const std::lock_guard lock(mutex);
    vectors = std::move(made);
    ready.notify_all();
  });
  std::unique_lock lock(mutex);
  ASSERT_TRUE(ready.wait_for(lock, std::chrono::seconds(60), [&] { return !vectors.empty(); }));
  ASSERT_EQ(vectors.size(), 2);
  double square = 0;
  for (const float x : vectors[0]) square += double(x) * x;
  EXPECT_NEAR(square, 1, 1e-5);
}

}  // namespace
}  // namespace helio::model
