// Scores through shared pages beside the whole rows', for passes of any size.
#include "model/trie_scoring.h"

#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <random>

#include "nn/packed_weight.h"
#include "tiny.h"

namespace helio::model {
namespace {

// Some begin alike, some are whole in others, some are longer than the model.
std::vector<ScoreRequest> requests_of(uint32_t seed) {
  std::mt19937 draw(seed);
  const auto ids = [&](size_t count) {
    std::vector<TokenId> out;
    for (size_t i = 0; i < count; ++i) out.push_back(static_cast<TokenId>(draw() % 61));
    return out;
  };
  std::vector<std::vector<TokenId>> stems;
  for (int i = 0; i < 4; ++i) stems.push_back(ids(1 + draw() % 40));
  std::vector<ScoreRequest> out;
  for (int i = 0; i < 40; ++i) {
    ScoreRequest request{.context = stems[draw() % stems.size()]};
    if (draw() % 2) {
      const auto& more = draw() % 2 ? stems[draw() % stems.size()] : ids(draw() % 8);
      request.context.insert(request.context.end(), more.begin(), more.end());
    }
    request.continuation = ids(1 + draw() % 5);
    if (!out.empty() && draw() % 6 == 0) request = out[draw() % out.size()];
    out.push_back(std::move(request));
  }
  return out;
}

Score whole_row(const Decoder& decoder, const ScoreRequest& request, int64_t positions) {
  const auto input = scored_input(request, positions);
  const at::Tensor hidden = decoder.hidden(
      PackedBatch::rows(id_tensor(std::vector<int64_t>(input.begin(), input.end()))));
  const at::Tensor logits = decoder.logits(hidden.squeeze(0));
  const at::Tensor log_probs = logits.log_softmax(-1);
  Score out{.log_prob = 0, .is_greedy = true};
  const auto first = static_cast<int64_t>(input.size() - request.continuation.size());
  for (size_t i = 0; i < request.continuation.size(); ++i) {
    const at::Tensor row = log_probs[first + static_cast<int64_t>(i)];
    out.log_prob += row[request.continuation[i]].item<double>();
    out.is_greedy = out.is_greedy && row.argmax().item<int64_t>() == request.continuation[i];
  }
  return out;
}

class TrieScoring : public ::testing::TestWithParam<int64_t> {};  // a sliding window, 0: none

TEST_P(TrieScoring, GivesTheWholeRowsNumbersForAnyPass) {
  const c10::AutoGradMode no_grad(false);
  auto config = tiny_config();
  config.window = GetParam();
  if (config.window)
    config.layer_kinds = {checkpoint::LayerKind::sliding, checkpoint::LayerKind::full};
  const Decoder decoder = tiny_decoder(config);
  for (uint32_t seed = 0; seed < 6; ++seed) {
    const auto requests = requests_of(seed);
    for (const int64_t positions : {64, 30})
      for (const int64_t pass : {1, 50, 8192})
        for (const int64_t page : {4, 16}) {
          const auto plan = plan_scores(requests, positions, page);
          const auto scores = score_plan(decoder, plan, requests.size(),
                                         {.batch_tokens = pass, .page_tokens = page});
          ASSERT_EQ(scores.size(), requests.size());
          for (size_t i = 0; i < requests.size(); i += 3) {
            const Score expected = whole_row(decoder, requests[i], positions);
            ASSERT_NEAR(scores[i].log_prob, expected.log_prob, 1e-4)
                << seed << " " << positions << " " << pass << " " << page << " " << i;
            ASSERT_EQ(scores[i].is_greedy, expected.is_greedy);
          }
        }
  }
}

// Packed layers run nodes, their parents and the pages they share in code of their own; of weights
// as codes the head gives whole rows.
TEST(TrieScoringPacked, GivesTheWholeRowsNumbers) {
  const c10::AutoGradMode no_grad(false);
  for (const auto format : {nn::WeightFormat::f32, nn::WeightFormat::int8}) {
    const Decoder decoder = Decoder::load_packed(fixture("llama_tiny/gqa_untied"), format);
    ASSERT_GE(decoder.config().vocab_size, 61);
    const auto requests = requests_of(9);
    for (const int64_t pass : {30, 8192}) {
      const auto plan = plan_scores(requests, 64);
      const auto scores = score_plan(decoder, plan, requests.size(), {.batch_tokens = pass});
      for (size_t i = 0; i < requests.size(); ++i) {
        const ScorePlan alone = plan_scores({requests[i]}, 64);
        const Score expected = score_plan(decoder, alone, 1, {.page_tokens = 64})[0];
        ASSERT_NEAR(scores[i].log_prob, expected.log_prob, 1e-4) << pass << " " << i;
        ASSERT_EQ(scores[i].is_greedy, expected.is_greedy) << pass << " " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Windows, TrieScoring, ::testing::Values(0, 8));

}  // namespace
}  // namespace helio::model
