// What the processes of a run say to each other, with threads of this one in their place.
#include "train/distributed/communicator.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>

#include <cmath>
#include <map>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "support.h"
#include "together.h"
#include "train/distributed/team.h"

namespace helio::train::distributed {
namespace {

TEST(Communicators, TextsOfAnyLengthComeByRank) {
  together(3, [](Communicator& link) {
    for (const int64_t length : {0, 5, 4088, 4089, 100'000}) {
      const std::string mine(static_cast<size_t>(length * (link.rank() + 1)), 'a' + link.rank());
      const auto texts = link.gather(mine);
      ASSERT_EQ(texts.size(), 3u);
      for (size_t rank = 0; rank < 3; ++rank)
        EXPECT_EQ(texts[rank], std::string(static_cast<size_t>(length) * (rank + 1), 'a' + rank));
    }
  });
}

TEST(Communicators, SumsAndBroadcasts) {
  together(3, [](Communicator& link) {
    const double mine = static_cast<double>(link.rank() + 1);
    const at::Tensor all = at::full({7}, mine), one = at::full({1000}, mine),
                     sent = at::full({2, 2}, mine);
    const auto first = link.begin_sum(all), second = link.begin_sum_at(one, 2),
               third = link.begin_broadcast(sent, 1);
    first(), second(), third();
    EXPECT_EQ(all.sum().item<double>(), 7 * 6);
    if (link.rank() == 2) {
      EXPECT_EQ(one.sum().item<double>(), 6000);
    }
    EXPECT_EQ(sent.sum().item<double>(), 8);
  });
}

TEST(Communicators, AProcessThatIsGoneIsAnError) {
  const int64_t port = free_port();
  std::string problem;
  std::thread leaver([&] { Communicator({.rank = 1, .size = 2, .local_size = 2, .port = port}); });
  try {
    Communicator link({.rank = 0, .size = 2, .local_size = 2, .port = port});
    leaver.join();
    link.begin_sum(at::ones({10}))();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    problem = error.what();
  }
  EXPECT_NE(problem.find("another process of this run ended"), std::string::npos) << problem;
  EXPECT_NE(problem.find("--resume"), std::string::npos) << problem;
}

// Each process reaches its weights in an order of its own; sums are begun in one order all the
// same.
TEST(GradientSums, ManyBucketsInAnyOrder) {
  together(3, [](Communicator& link) {
    std::vector<model::Decoder::Named> weights;
    for (int i = 0; i < 12; ++i) weights.push_back({"w" + std::to_string(i), at::ones({5 + i})});
    for (auto& weight : weights) weight.tensor.set_requires_grad(true);
    GradientSum sum(link, weights, {}, 100);  // bytes: one or two weights a bucket
    for (int step = 1; step <= 3; ++step) {
      at::Tensor loss = at::full({}, 0.0f);
      for (int64_t i = 0; i < 12; ++i) {
        const int64_t w = (i * (link.rank() == 1 ? 5 : 7) + step) % 12;
        if (w == 3 && link.rank() == 0) continue;
        // Nested products make this one's gradient come after those of the ones added later.
        loss = (loss * 1.0) + (weights[static_cast<size_t>(w)].tensor * double(step)).sum();
      }
      sum.arm();
      loss.backward();
      sum.finish();
      for (size_t i = 0; i < 12; ++i) {
        const at::Tensor gradient = weights[i].tensor.grad();
        EXPECT_EQ(gradient.sizes(), weights[i].tensor.sizes());
        EXPECT_EQ(gradient.min().item<double>(), step * (i == 3 ? 2 : 3)) << i;
        EXPECT_EQ(gradient.max().item<double>(), step * (i == 3 ? 2 : 3)) << i;
        weights[i].tensor.mutable_grad().reset();
      }
    }
  });
}

class Teams : public testing::TestWithParam<Team::Shard> {};

TEST_P(Teams, DivideWhatTheyKeepAndTrainAsOne) {
  const TempDir dir;
  std::mutex mutex;
  std::map<std::string, int> owners;
  together(3, [&](Communicator& link) {
    Team::Weights weights;
    for (const int64_t size : {50, 3, 8, 8, 20, 1})
      weights.push_back(
          {"w" + std::to_string(weights.size()), at::full({size}, 1.0 + link.rank())});
    for (auto& weight : weights) weight.tensor.set_requires_grad(true);
    Team team(&link, GetParam());
    team.send(weights);  // rank 0's
    for (const auto& weight : weights)
      EXPECT_EQ(weight.tensor.detach().max().item<double>(), 1) << weight.name;
    const Team::Weights own = team.train(weights);
    {
      const std::lock_guard lock(mutex);
      for (const auto& weight : own) ++owners[weight.name];
    }
    for (int step = 1; step <= 2; ++step) {
      // Two parts of a step; the last process reaches one weight less.
      for (int part = 0; part < 2; ++part) {
        at::Tensor loss = (weights[0].tensor * static_cast<double>(link.rank())).sum();
        for (size_t i = 1; i < (link.rank() == 2 ? 5u : 6u); ++i)
          loss = loss + (weights[i].tensor * static_cast<double>(i)).sum();
        if (part == 1) team.begin_gradients();
        loss.backward();
      }
      team.finish_gradients();
      double squares = 0;
      for (const auto& weight : own) {
        const size_t i = weight.name[1] - '0';
        const double expected = i == 0 ? 2 * (0 + 1 + 2) : i == 5 ? 2 * 2 * 5 : 3 * 2 * double(i);
        ASSERT_TRUE(weight.tensor.grad().defined());
        EXPECT_EQ(weight.tensor.grad().min().item<double>(), expected) << weight.name;
        EXPECT_EQ(weight.tensor.grad().max().item<double>(), expected) << weight.name;
        squares += expected * expected * static_cast<double>(weight.tensor.numel());
      }
      if (GetParam() != Team::Shard::none) {
        EXPECT_NEAR(team.whole_norm(std::sqrt(squares)),
                    std::sqrt(36 * 50 + 36 * 3 + 144 * 8 + 324 * 8 + 576 * 20 + 400 * 1), 1e-3);
      }
      int64_t kept = 0;
      for (const auto& weight : weights) kept += weight.tensor.grad().defined();
      EXPECT_EQ(kept, static_cast<int64_t>(own.size()));
      const c10::AutoGradMode no_grad(false);
      for (const auto& weight : own) {
        weight.tensor.sub_(weight.tensor.grad());
        weight.tensor.mutable_grad().reset();
      }
      team.share_update();
      EXPECT_EQ(weights[0].tensor.max().item<double>(), 1 - 6 * step);
      EXPECT_EQ(weights[4].tensor.min().item<double>(), 1 - 24 * step);
    }
    const Team::Source states{"whole.safetensors", Team::Part::of_states,
                              [&](const std::filesystem::path& file) {
                                std::vector<nn::NamedTensor> parts;
                                for (const auto& weight : own)
                                  parts.push_back({"state." + weight.name, weight.tensor.detach()});
                                nn::write_tensors(file, parts);
                              }};
    team.save(dir / "parts", {states},
              [&](const Team::Whole& whole) { whole(states.name, dir / states.name); });
    const auto figures = team.total({.loss = 0.5,
                                     .weight = static_cast<double>(link.rank()),
                                     .terms = {{.name = "x", .sum = 2, .weight = 1}},
                                     .stop = link.rank() == 1});
    EXPECT_EQ(figures.loss, 1.5);
    EXPECT_EQ(figures.weight, 3);
    EXPECT_EQ(figures.terms.at(0).sum, 6);
    EXPECT_TRUE(figures.stop);
    EXPECT_TRUE(std::isnan(team.total({.loss = NAN}).loss));
  });
  EXPECT_EQ(owners.size(), 6u);
  for (const auto& [name, count] : owners)
    EXPECT_EQ(count, GetParam() == Team::Shard::none ? 3 : 1) << name;
  const checkpoint::SafeTensors whole(dir / "whole.safetensors");
  EXPECT_EQ(whole.tensors().size(), 6u);
  EXPECT_FALSE(std::filesystem::exists(dir / "parts"));
}

INSTANTIATE_TEST_SUITE_P(, Teams,
                         testing::Values(Team::Shard::none, Team::Shard::optimizer,
                                         Team::Shard::gradients));

}  // namespace
}  // namespace helio::train::distributed
