// The prefix tree of requests, and scores through it.
#include "model/score_plan.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace helio::model {
namespace {

std::vector<ScoreRequest> random_requests(uint32_t seed, size_t count) {
  std::mt19937 draw(seed);
  std::vector<std::vector<TokenId>> stems;
  for (int i = 0; i < 5; ++i) {
    std::vector<TokenId> stem;
    const size_t length = 1 + draw() % 60;
    for (size_t t = 0; t < length; ++t) stem.push_back(static_cast<TokenId>(draw() % 3));
    stems.push_back(stem);
  }
  std::vector<ScoreRequest> out;
  for (size_t i = 0; i < count; ++i) {
    ScoreRequest request{.context = stems[draw() % stems.size()]};
    const auto& more = stems[draw() % stems.size()];
    if (draw() % 2) request.context.insert(request.context.end(), more.begin(), more.end());
    const size_t length = 1 + draw() % 6;
    for (size_t t = 0; t < length; ++t)
      request.continuation.push_back(static_cast<TokenId>(draw() % 3));
    out.push_back(request);
  }
  return out;
}

// The tokens before a node's end, by walking up.
std::vector<TokenId> path_of(const ScorePlan& plan, size_t node) {
  std::vector<TokenId> out;
  for (auto n = static_cast<int64_t>(node); n >= 0; n = plan.nodes[static_cast<size_t>(n)].parent) {
    const auto ids = plan.ids(plan.nodes[static_cast<size_t>(n)]);
    out.insert(out.begin(), ids.begin(), ids.end());
  }
  return out;
}

TEST(ScorePlan, EveryRowStandsAfterItsRequestsTokens) {
  for (const int64_t least : {1, 4, 16})
    for (const int64_t positions : {30, 1000})
      for (uint32_t seed = 0; seed < 40; ++seed) {
        const auto requests = random_requests(seed, 1 + seed % 30);
        const ScorePlan plan = plan_scores(requests, positions, least);
        std::map<std::pair<size_t, int64_t>, TokenId> targets;
        for (size_t n = 0; n < plan.nodes.size(); ++n) {
          const ScoreNode& node = plan.nodes[n];
          ASSERT_LT(node.begin, node.end);
          ASSERT_EQ(node.begin,
                    node.parent < 0 ? 0 : plan.nodes[static_cast<size_t>(node.parent)].end);
          const auto path = path_of(plan, n);
          for (const ScoreRow& row : node.rows) {
            ASSERT_GE(row.position, node.begin);
            ASSERT_LT(row.position, node.end);
            const auto input = scored_input(requests[row.request], positions);
            ASSERT_TRUE(std::equal(path.begin(), path.begin() + row.position + 1, input.begin()));
            ASSERT_TRUE(targets.emplace(std::pair(row.request, row.position), row.target).second);
          }
        }
        size_t rows = 0;
        for (size_t r = 0; r < requests.size(); ++r) {
          const auto& continuation = requests[r].continuation;
          const auto length = static_cast<int64_t>(scored_input(requests[r], positions).size());
          for (size_t i = 0; i < continuation.size(); ++i, ++rows) {
            const int64_t at = length - static_cast<int64_t>(continuation.size() - i);
            ASSERT_EQ((targets[{r, at}]), continuation[i]);
          }
        }
        ASSERT_EQ(rows, targets.size());
      }
}

TEST(ScorePlan, SharesWhatBeginsAlike) {
  std::vector<TokenId> shots(100, 7);
  std::vector<ScoreRequest> requests;
  for (TokenId question = 0; question < 3; ++question) {
    auto context = shots;
    for (int i = 0; i < 20; ++i) context.push_back(question);
    for (TokenId choice = 0; choice < 4; ++choice) requests.push_back({context, {choice}});
    requests.push_back({context, {1, 2, 3}});
  }
  const ScorePlan plan = plan_scores(requests, 1000);
  EXPECT_EQ(plan.tokens(), 100 + 3 * (20 + 2)) << "shots once, contexts once, 1 and 2 follow one";
  EXPECT_EQ(plan.roots.size(), 1u);
  EXPECT_EQ(plan_scores({{{1, 2, 3}, {4}}, {{1, 2, 5}, {4}}}, 1000).tokens(), 6)
      << "two tokens are not worth a pass of their own";
}

}  // namespace
}  // namespace helio::model
