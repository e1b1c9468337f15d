// Answers with a draft model beside those without.
#include <cmath>
#include <functional>
#include <map>

#include "asked.h"
#include "core/error.h"
#include "model/sampler.h"

namespace helio::model {
namespace {

// Another shape than the tiny model's, and not much of its opinion.
Decoder other_decoder(int64_t vocabulary = 61, uint64_t seed = 7) {
  auto config = tiny_config();
  config.vocab_size = vocabulary;
  config.layers = 1;
  config.kv_heads = 6;
  return tiny_decoder(config, seed);
}

// The tiny model but for its last layer: agrees with it now and then, as an up-scaled model's base.
Decoder near_decoder() {
  Decoder decoder = tiny_decoder();
  const c10::AutoGradMode no_grad(false);
  for (const auto& [name, tensor] : decoder.parameters())
    if (name.find("layers.1") != std::string::npos) at::Tensor(tensor).mul_(0.9);
  return decoder;
}

void run_all(GenerationEngine& engine, std::vector<Asked>& all) {
  std::vector<Asked*> pointers;
  for (auto& one : all) pointers.push_back(&one);
  run(engine, pointers);
}

TEST(Speculative, GreedyTextIsThatWithoutADraft) {
  const Decoder decoder = tiny_decoder();
  for (const int64_t tokens : {1, 3, 8}) {
    for (const bool near : {true, false}) {
      // Few slots and a small cache: answers are put back and go on later.
      const auto engine =
          make_generation_engine(tiny_decoder(), near ? near_decoder() : other_decoder(),
                                 {.slots = 5,
                                  .cache_tokens = 128,
                                  .page_tokens = 4,
                                  .prompt_tokens = 6,
                                  .draft_tokens = tokens});
      std::vector<Asked> all;
      for (uint64_t i = 0; i < 12; ++i)
        all.emplace_back(random_ids(static_cast<int64_t>(1 + i * 3), i), 25);
      run_all(*engine, all);
      int64_t proposed = 0, accepted = 0;
      for (uint64_t i = 0; i < 12; ++i) {
        EXPECT_EQ(all[i].sink->finish, Finish::length);
        EXPECT_EQ(all[i].sink->ids(),
                  plain_greedy(decoder, random_ids(static_cast<int64_t>(1 + i * 3), i), 25))
            << tokens << " " << near << " " << i;
        proposed += all[i].sink->proposed;
        accepted += all[i].sink->accepted;
      }
      EXPECT_GT(proposed, 0);
      if (near) {
        EXPECT_GT(accepted, proposed / 4);
      }
      EXPECT_LT(accepted, proposed);
      EXPECT_EQ(engine->load().proposed_tokens, static_cast<uint64_t>(proposed));
      EXPECT_EQ(engine->load().accepted_tokens, static_cast<uint64_t>(accepted));
      EXPECT_EQ(engine->load().new_tokens, 12 * 25);
    }
  }
}

TEST(Speculative, AModelAcceptsAllOfItself) {
  const auto engine = make_generation_engine(tiny_decoder(), tiny_decoder(), {.draft_tokens = 4});
  Asked asked(random_ids(5, 1), 21);  // one token, then four steps of four proposals and one more
  run(*engine, {&asked});
  EXPECT_EQ(asked.sink->ids(), plain_greedy(tiny_decoder(), random_ids(5, 1), 21));
  EXPECT_EQ(asked.sink->proposed, 16);
  EXPECT_EQ(asked.sink->accepted, 16);
  Asked again(random_ids(5, 1), 21);
  run(*engine, {&again});
  EXPECT_EQ(again.sink->ids(), asked.sink->ids());
}

TEST(Speculative, SharedBeginningsAreThereForBothModels) {
  const auto engine =
      make_generation_engine(tiny_decoder(), near_decoder(), {.page_tokens = 4, .draft_tokens = 3});
  auto prompt = random_ids(30, 9);
  Asked first(prompt);
  run(*engine, {&first});
  for (const auto id : first.sink->ids()) prompt.push_back(id);  // the talk goes on
  prompt.push_back(5);
  Asked second(prompt, 10);
  run(*engine, {&second});
  EXPECT_GE(engine->load().reused_tokens, 44);
  EXPECT_EQ(second.sink->ids(), plain_greedy(tiny_decoder(), prompt, 10));
}

TEST(Speculative, PenaltiesGrammarAndScoresAreThoseWithoutADraft) {
  const auto ask = [](GenerationEngine& engine) {
    std::vector<Asked> all;
    for (uint64_t i = 0; i < 8; ++i) {
      all.emplace_back(random_ids(10, i), 30);
      auto& request = all.back().request;
      request.top = 2;
      request.stop_ids = {0};
      request.sampler.repetition_penalty = i % 2 == 0 ? 1.3 : 1;
      request.sampler.frequency_penalty = i % 2 == 0 ? 0.4 : 0;
      if (i % 4 > 1) request.grammar = tiny_grammar(R"g(root ::= "(" [0-9]{2,30} (")" | "!")?)g");
      if (i == 5) request.prompt_scores = PromptScores::report;
    }
    run_all(engine, all);
    return all;
  };
  const auto plain = make_generation_engine(tiny_decoder(), {});
  const auto expected = ask(*plain);
  const auto engine = make_generation_engine(tiny_decoder(), near_decoder(), EngineOptions{});
  const auto all = ask(*engine);
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].sink->ids(), expected[i].sink->ids()) << i;
    EXPECT_EQ(all[i].sink->finish, expected[i].sink->finish);
    EXPECT_EQ(all[i].sink->prompt.size(), expected[i].sink->prompt.size());
    EXPECT_GT(all[i].sink->accepted, 0) << i;
    for (size_t t = 0; t < all[i].sink->scores.size(); ++t) {
      const auto &one = all[i].sink->scores[t], &other = expected[i].sink->scores[t];
      EXPECT_NEAR(one.log_prob, other.log_prob, 1e-4);
      ASSERT_EQ(one.top.size(), 2);
      EXPECT_NEAR(one.top[1].second, other.top[1].second, 1e-4);
    }
  }
}

TEST(Speculative, ASeedGivesTheSameAnswerAmongOthers) {
  const auto drawn = [](int64_t others) {
    const auto engine = make_generation_engine(tiny_decoder(), near_decoder(),
                                               {.slots = 4, .cache_tokens = 64, .page_tokens = 4});
    std::vector<Asked> all;
    for (int64_t i = 0; i <= others; ++i) {
      all.emplace_back(random_ids(10, static_cast<uint64_t>(others - i)), 40);
      all.back().request.sampler.temperature = 1.2;
      all.back().request.seed = static_cast<uint64_t>(others - i);
    }
    run_all(*engine, all);
    return all.back().sink->ids();
  };
  EXPECT_EQ(drawn(0), drawn(5));
}

// Of all answers of three tokens, how often each came and should have.
TEST(Speculative, DrawsHaveTheModelsDistribution) {
  auto config = tiny_config();
  config.vocab_size = 5;
  const auto model = [&] { return tiny_decoder(config, 3); };
  const std::vector<int64_t> prompt = {1, 4, 2};
  SamplerOptions sampler{.temperature = 0.8, .top_k = 4, .top_p = 0.97};
  sampler.frequency_penalty = 0.3;
  const Decoder decoder = model();
  const c10::AutoGradMode no_grad(false);
  std::map<Ids, double> expected;
  const std::function<void(const Ids&, double)> spread = [&](const Ids& answer,
                                                             double probability) {
    if (answer.size() == 3) {
      expected[answer] = probability;
      return;
    }
    auto ids = prompt;
    ids.insert(ids.end(), answer.begin(), answer.end());
    at::Tensor logits = decoder.logits(decoder.hidden(PackedBatch::rows(id_tensor(ids))))
                            .squeeze(0)[-1]
                            .contiguous();
    std::span<float> row(logits.mutable_data_ptr<float>(), 5);
    apply_penalties(row, sampler, {}, answer);
    const auto shares = probabilities(row, sampler);
    for (text::TokenId id = 0; id < 5; ++id) {
      if (shares[static_cast<size_t>(id)] == 0) continue;
      Ids longer = answer;
      longer.push_back(id);
      spread(longer, probability * shares[static_cast<size_t>(id)]);
    }
  };
  spread({}, 1);
  // A draft with a smaller vocabulary, too: it never proposes the last token, which the prompt has.
  for (const int64_t vocabulary : {5, 4}) {
    const auto engine =
        make_generation_engine(model(), other_decoder(vocabulary, 11), EngineOptions{});
    constexpr int kDraws = 6000;
    std::map<Ids, int> seen;
    std::vector<Asked> all;
    for (int i = 0; i < kDraws; ++i) {
      all.emplace_back(prompt, 3);
      all.back().request.sampler = sampler;
      all.back().request.seed = static_cast<uint64_t>(i);
    }
    run_all(*engine, all);
    int64_t accepted = 0, proposed = 0;
    for (const auto& one : all) {
      ++seen[one.sink->ids()];
      accepted += one.sink->accepted;
      proposed += one.sink->proposed;
    }
    double chi_square = 0;
    int cells = 0;
    for (const auto& [answer, probability] : expected) {
      const double wanted = probability * kDraws;
      if (wanted < 5) continue;
      const double off = seen[answer] - wanted;
      chi_square += off * off / wanted;
      ++cells;
    }
    for (const auto& [answer, count] : seen) EXPECT_TRUE(expected.contains(answer));
    EXPECT_GT(cells, 20);
    EXPECT_LT(chi_square, cells + 3.5 * std::sqrt(2.0 * cells));
    EXPECT_GT(accepted, proposed / 5);
    EXPECT_LT(accepted, proposed * 9 / 10);
  }
}

TEST(Speculative, AcceptOrReplaceKeepsTheTarget) {
  const std::vector<float> target = {0.1F, 0.5F, 0.0F, 0.2F, 0.2F}, draft = {0.4F, 0.2F, 0.4F};
  Rng rng(3);
  std::vector<double> seen(5);
  int accepted = 0;
  constexpr int kDraws = 60000;
  for (int i = 0; i < kDraws; ++i) {
    const auto verdict = accept_or_replace(draw(draft, rng), target, draft, rng);
    seen[static_cast<size_t>(verdict.id)] += 1.0 / kDraws;
    accepted += int(verdict.accepted);
  }
  for (size_t id = 0; id < 5; ++id) EXPECT_NEAR(seen[id], target[id], 0.008) << id;
  EXPECT_NEAR(double(accepted) / kDraws, 0.3, 0.008);  // sum of the smaller ones
}

TEST(Speculative, ProbabilitiesAreWhatIsSampled) {
  const std::vector<float> logits = {0.3F, 2, 1.2F, -1, 0.9F, -30};
  for (const SamplerOptions& options :
       {SamplerOptions{.temperature = 1}, SamplerOptions{.temperature = 0.7, .top_k = 3},
        SamplerOptions{.temperature = 1.3, .top_p = 0.8},
        SamplerOptions{.temperature = 1, .min_p = 0.2}, SamplerOptions{}}) {
    const auto shares = probabilities(logits, options);
    Rng rng(1);
    std::vector<double> seen(logits.size());
    for (int i = 0; i < 30000; ++i)
      seen[static_cast<size_t>(sample(logits, options, rng))] += 1 / 30000.0;
    for (size_t id = 0; id < logits.size(); ++id) {
      EXPECT_NEAR(seen[id], shares[id], 0.01);
      if (shares[id] == 0) {
        EXPECT_EQ(seen[id], 0);
      }
    }
  }
}

TEST(Speculative, ADraftWithFewerPositionsStopsProposing) {
  auto config = tiny_config();
  config.max_positions = 24;
  const auto engine =
      make_generation_engine(tiny_decoder(), tiny_decoder(config), {.page_tokens = 4});
  Asked asked(random_ids(10, 1), 40), longer(random_ids(40, 2), 20);
  run(*engine, {&asked, &longer});
  EXPECT_EQ(asked.sink->ids(), plain_greedy(tiny_decoder(), random_ids(10, 1), 40));
  EXPECT_GT(asked.sink->proposed, 5);
  EXPECT_LT(asked.sink->proposed, 16);
  EXPECT_EQ(longer.sink->ids(), plain_greedy(tiny_decoder(), random_ids(40, 2), 20));
  EXPECT_EQ(longer.sink->proposed, 0);
}

TEST(Speculative, EndsInsideProposals) {
  const auto ids = random_ids(5, 1);
  const Ids all = plain_greedy(tiny_decoder(), ids, 12);
  const auto engine = make_generation_engine(tiny_decoder(), tiny_decoder(), {.draft_tokens = 8});
  Asked eos(ids, 50), enough(ids, 50);
  eos.request.stop_ids = {all[4]};
  enough.sink->enough = 3;
  run(*engine, {&eos, &enough});
  EXPECT_EQ(eos.sink->finish, Finish::eos);
  EXPECT_EQ(eos.sink->ids(), Ids(all.begin(), std::find(all.begin(), all.end(), all[4]) + 1));
  EXPECT_EQ(enough.sink->finish, Finish::stopped);
  EXPECT_EQ(enough.sink->ids(), Ids(all.begin(), all.begin() + 3));
}

TEST(Speculative, FrequenciesThatFollowTheLengthAreRefused) {
  auto config = tiny_config();
  config.rope.type = "dynamic";
  config.rope.factor = 2;
  config.rope.original_max_position = 32;
  EXPECT_THROW(make_generation_engine(tiny_decoder(config), tiny_decoder(), EngineOptions{}),
               Error);
  EXPECT_THROW(make_generation_engine(tiny_decoder(), tiny_decoder(config), EngineOptions{}),
               Error);
}

}  // namespace
}  // namespace helio::model
