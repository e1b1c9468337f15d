#include "model/local_model.h"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "core/error.h"
#include "tiny.h"

namespace helio::model {
namespace {

// Ids are characters from 'A' on.
class LetterTokenizer final : public text::Tokenizer {
 public:
  explicit LetterTokenizer(int64_t size) : size_(size) {}
  std::vector<TokenId> encode(std::string_view text, text::SpecialTokens) const override {
    std::vector<TokenId> ids;
    for (const char c : text) ids.push_back(c - 'A');
    return ids;
  }
  std::string decode(const std::vector<TokenId>& ids, text::SpecialTokens) const override {
    std::string text;
    for (const TokenId id : ids) text += token_bytes(id);
    return text;
  }
  std::string token_bytes(TokenId id) const override {
    return std::string(1, static_cast<char>('A' + id));
  }
  int64_t vocab_size() const override { return size_; }
  std::optional<TokenId> id_of(std::string_view) const override { return {}; }
  const std::vector<text::AddedToken>& added_tokens() const override { return added_; }

 private:
  int64_t size_;
  std::vector<text::AddedToken> added_ = {};
};

std::unique_ptr<LanguageModel> as_model(Decoder decoder, LoadOptions options = {}) {
  const int64_t size = decoder.config().vocab_size;
  return make_language_model({.decoder = std::move(decoder),
                              .tokenizer = std::make_unique<LetterTokenizer>(size),
                              .content = [] { return std::string("hash"); }},
                             options);
}

Decoder with_positions(const Decoder& decoder, int64_t positions) {
  const c10::AutoGradMode no_grad(false);
  auto config = decoder.config();
  config.max_positions = positions;
  Decoder other(config);
  for (size_t i = 0; i < other.parameters().size(); ++i) {
    at::Tensor tensor = other.parameters()[i].tensor;
    tensor.copy_(decoder.parameters()[i].tensor);
  }
  return other;
}

std::vector<TokenId> token_ids(int64_t count, uint64_t seed) {
  const auto ids = random_ids(count, seed);
  return {ids.begin(), ids.end()};
}

// tests/fixtures/loglik_tiny: lm-evaluation-harness 0.4.13, recorded by
// tools/record/loglik_tiny.py.
TEST(LocalModel, ScoresEqualTheEvaluationHarness) {
  const auto settings = load_json(fixture("loglik_tiny/settings.json"));
  const auto model =
      as_model(with_positions(Decoder::load(fixture(settings.at("checkpoint").get<std::string>())),
                              settings.at("max_length")));
  std::vector<ScoreRequest> requests;
  std::vector<Score> expected;
  read_jsonl(fixture("loglik_tiny/pairs.jsonl"), [&](const Json& row, int64_t) {
    requests.push_back({row.at("context"), row.at("continuation")});
    expected.push_back({row.at("logprob"), row.at("is_greedy")});
  });
  const auto scores = model->score(requests);
  ASSERT_EQ(scores.size(), expected.size());
  for (size_t i = 0; i < scores.size(); ++i) {
    EXPECT_NEAR(scores[i].log_prob, expected[i].log_prob, 1e-4) << i;
    EXPECT_EQ(scores[i].is_greedy, expected[i].is_greedy) << i;
  }
}

TEST(LocalModel, ScoresDoNotDependOnTheBatchOrTheOrder) {
  std::vector<ScoreRequest> requests;
  for (uint64_t i = 0; i < 24; ++i)
    requests.push_back({token_ids(1 + static_cast<int64_t>(i * 7 % 40), i),
                        token_ids(1 + static_cast<int64_t>(i % 5), 100 + i)});
  requests.push_back(requests[3]);  // the same twice
  requests.push_back({requests[4].context, token_ids(1, 999)});
  const auto together = as_model(tiny_decoder())->score(requests);
  const auto model = as_model(tiny_decoder(), {.batch_tokens = 1});
  for (size_t i = 0; i < requests.size(); ++i) {
    const Score alone = model->score({requests[i]}).front();
    EXPECT_NEAR(together[i].log_prob, alone.log_prob, 1e-5 * (1 + std::abs(alone.log_prob))) << i;
    EXPECT_EQ(together[i].is_greedy, alone.is_greedy) << i;
  }
  std::reverse(requests.begin(), requests.end());
  auto reversed = as_model(tiny_decoder(), {.batch_tokens = 64})->score(requests);
  std::reverse(reversed.begin(), reversed.end());
  for (size_t i = 0; i < requests.size(); ++i)
    EXPECT_NEAR(together[i].log_prob, reversed[i].log_prob,
                1e-5 * (1 + std::abs(reversed[i].log_prob)))
        << i;
}

TEST(LocalModel, GreedyGenerationIsTheArgmaxOfTheWholeRowEachTime) {
  const c10::AutoGradMode no_grad(false);
  const Decoder decoder = tiny_decoder();
  auto ids = random_ids(9, 4);
  std::vector<TokenId> expected;
  for (int i = 0; i < 12; ++i) {
    const at::Tensor logits = decoder.logits(decoder.hidden(PackedBatch::rows(id_tensor(ids))));
    ids.push_back(logits.select(1, logits.size(1) - 1).argmax().item<int64_t>());
    expected.push_back(static_cast<TokenId>(ids.back()));
  }
  const auto model = as_model(tiny_decoder());
  GenerateRequest request{.prompt = token_ids(9, 4), .max_new_tokens = 12};
  EXPECT_EQ(model->generate(request), expected);

  request.stop_ids = {expected[5]};
  const auto first = std::find(expected.begin(), expected.end(), expected[5]);
  EXPECT_EQ(model->generate(request), std::vector<TokenId>(expected.begin(), first));

  request.stop_ids = {};
  int calls = 0;
  request.on_token = [&](TokenId) { return ++calls < 3; };
  EXPECT_EQ(model->generate(request), std::vector<TokenId>(expected.begin(), expected.begin() + 3));
}

TEST(LocalModel, SampledGenerationIsDecidedByTheSeed) {
  const auto model = as_model(tiny_decoder());
  GenerateRequest request{
      .prompt = token_ids(4, 1), .max_new_tokens = 20, .temperature = 1.5, .seed = 7};
  const auto once = model->generate(request);
  EXPECT_EQ(once, model->generate(request));
  request.seed = 8;
  EXPECT_NE(once, model->generate(request));
}

TEST(LocalModel, ALongPromptLosesItsBeginning) {
  const auto model = as_model(with_positions(tiny_decoder(), 16));
  const auto prompt = token_ids(50, 2);
  const GenerateRequest whole{.prompt = prompt, .max_new_tokens = 6};
  const GenerateRequest end{.prompt = {prompt.end() - 10, prompt.end()}, .max_new_tokens = 6};
  EXPECT_EQ(model->generate(whole), model->generate(end));
  EXPECT_EQ(model->generate(whole).size(), 6);
}

TEST(LocalModel, RefusesWhatItCannotScore) {
  const auto model = as_model(tiny_decoder());
  EXPECT_THROW(model->score({{{1}, {}}}), Error);
  EXPECT_THROW(model->score({{{}, {1}}}), Error);
  EXPECT_THROW(model->score({{{1}, {61}}}), Error);
  EXPECT_THROW(model->score({{{1}, token_ids(65, 3)}}), Error);
  EXPECT_THROW(model->generate({.prompt = {}}), Error);
  EXPECT_THROW(make_language_model(
                   {.decoder = tiny_decoder(), .tokenizer = std::make_unique<LetterTokenizer>(62)}),
               Error);
}

}  // namespace
}  // namespace helio::model
