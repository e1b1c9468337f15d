// Models that come and go within a budget.
#include "serve/model_shelf.h"

#include <gtest/gtest.h>

#include <chrono>

#include "core/error.h"

namespace helio::serve {
namespace {

class IdleEngine final : public model::GenerationEngine {
 public:
  explicit IdleEngine(std::atomic<int>& alive) : alive_(alive) { ++alive_; }
  ~IdleEngine() override { --alive_; }
  bool submit(std::vector<model::GenerationRequest>) override { return true; }
  model::EngineLoad load() const override { return {}; }
  int64_t max_positions() const override { return 64; }
  void embed(std::vector<std::vector<text::TokenId>>,
             std::function<void(Vectors, const std::string&)>) override {}

 private:
  std::atomic<int>& alive_;
};

struct Shelf {
  std::atomic<int> alive = 0, most = 0, loads = 0;
  std::unique_ptr<ModelShelf> shelf = {};

  explicit Shelf(const std::vector<std::pair<std::string, uint64_t>>& models, uint64_t memory) {
    std::vector<ShelvedModel> given;
    for (const auto& [name, bytes] : models)
      given.push_back({.name = name, .bytes = bytes, .load = [this, name] {
                         if (name == "broken") throw Error(ErrorKind::invalid, "no such weights");
                         ++loads;
                         ServedModel model{.name = name};
                         model.engine = std::make_unique<IdleEngine>(alive);
                         most = std::max(most.load(), alive.load());
                         return model;
                       }});
    shelf = std::make_unique<ModelShelf>(std::move(given), memory);
  }

  // A lease, waited for; null with `error` set.
  ModelLease get(const std::string& name, std::string* error = nullptr) {
    const auto place = *shelf->find(name);
    if (auto lease = shelf->lease(place)) return lease;
    ModelLease out;
    bool done = false;
    EXPECT_TRUE(shelf->ask(place, [&](ModelLease lease, const std::string& why) {
      out = std::move(lease);
      if (error) *error = why;
      done = true;
    }));
    for (int i = 0; i < 2000 && !done; ++i) {
      shelf->deliver();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(done) << name;
    return out;
  }
  std::string loaded() const {
    std::string out;
    for (const auto& card : shelf->cards())
      if (card.loaded) out += card.name;
    return out;
  }
};

TEST(ModelShelf, TheOneUnusedForLongestMakesWay) {
  Shelf s({{"a", 4}, {"b", 4}, {"c", 4}}, 8);
  EXPECT_EQ(s.loaded(), "");
  EXPECT_EQ(s.get("a")->name, "a");
  EXPECT_EQ(s.get("b")->name, "b");
  EXPECT_EQ(s.get("a")->name, "a");  // used again: b is older now
  EXPECT_EQ(s.get("c")->name, "c");
  EXPECT_EQ(s.loaded(), "ac");
  EXPECT_EQ(s.get("b")->name, "b");
  EXPECT_EQ(s.loaded(), "bc");
  EXPECT_EQ(s.loads, 4);
  EXPECT_EQ(s.most, 2);
  EXPECT_FALSE(s.shelf->find("d"));
  EXPECT_EQ(s.shelf->find(""), 0);
}

TEST(ModelShelf, AModelInUseIsWaitedFor) {
  Shelf s({{"a", 4}, {"b", 4}}, 4);
  ModelLease used = s.get("a");
  ModelLease other;
  ASSERT_TRUE(
      s.shelf->ask(1, [&](ModelLease lease, const std::string&) { other = std::move(lease); }));
  for (int i = 0; i < 50; ++i) {
    s.shelf->deliver();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_FALSE(other);
  EXPECT_FALSE(s.shelf->lease(0));  // it takes no new work, so that the other's turn comes
  EXPECT_EQ(used->name, "a");
  used.reset();
  for (int i = 0; i < 2000 && !other; ++i) {
    s.shelf->deliver();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(other);
  EXPECT_EQ(other->name, "b");
  EXPECT_EQ(s.alive, 1);
  other.reset();
  EXPECT_EQ(s.get("a")->name, "a");
}

TEST(ModelShelf, FailuresAreTold) {
  Shelf s({{"a", 4}, {"broken", 4}}, 8);
  std::string error;
  EXPECT_FALSE(s.get("broken", &error));
  EXPECT_NE(error.find("no such weights"), std::string::npos);
  EXPECT_TRUE(s.get("a"));
  EXPECT_THROW(Shelf({{"huge", 9}}, 8), Error);
}

TEST(ModelShelf, EndsWhileSomeoneWaits) {
  Shelf s({{"a", 4}, {"b", 4}}, 4);
  const ModelLease used = s.get("a");
  ASSERT_TRUE(s.shelf->ask(1, [](ModelLease, const std::string&) {}));
  s.shelf.reset();  // and the lease may live on
  EXPECT_EQ(s.alive, 0);
}

}  // namespace
}  // namespace helio::serve
