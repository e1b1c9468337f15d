// Answers from an engine that is played by the test: what it is asked, where answers end, and what
// becomes of errors.
#include "eval/local_respondent.h"

#include <gtest/gtest.h>

#include <thread>

#include "fake_model.h"

namespace helio::eval {
namespace {

// Says to each prompt what `says` says, byte by byte, on a thread of its own; the end of text (1)
// after it.
class FakeEngine final : public model::GenerationEngine {
 public:
  using Says = std::function<std::string(const std::string& prompt)>;
  FakeEngine(Says says, std::vector<model::GenerationRequest>& seen)
      : says_(std::move(says)), seen_(seen) {}
  ~FakeEngine() override {
    for (auto& thread : threads_) thread.join();
  }
  bool submit(std::vector<model::GenerationRequest> requests) override {
    for (auto& request : requests) {
      seen_.push_back(request);
      threads_.emplace_back([this, request] { run(request); });
    }
    return true;
  }
  model::EngineLoad load() const override { return {}; }
  int64_t max_positions() const override { return 4096; }
  void embed(std::vector<std::vector<text::TokenId>>,
             std::function<void(Vectors, const std::string&)>) override {}

 private:
  void run(const model::GenerationRequest& request) const {
    const std::string said =
        says_(ByteTokenizer(false).decode(request.prompt, text::SpecialTokens::skip));
    if (said == "!") return request.sink->finished(model::Finish::failed, "no numbers");
    int64_t tokens = 0;
    for (const char c : said) {
      if (tokens++ == request.max_new_tokens)
        return request.sink->finished(model::Finish::length, "");
      if (!request.sink->token({.id = static_cast<uint8_t>(c) + 2}))
        return request.sink->finished(model::Finish::stopped, "");
    }
    request.sink->token({.id = 1});
    request.sink->finished(model::Finish::eos, "");
  }
  Says says_;
  std::vector<model::GenerationRequest>& seen_;
  std::vector<std::thread> threads_ = {};
};

class LocalAnswers : public ::testing::Test {
 protected:
  std::vector<std::string> ask(const std::vector<Answerable>& asked, const FakeEngine::Says& says,
                               FakeOptions fake = {}) {
    FakeModel model(std::move(fake));
    LocalRespondent respondent(model, {.engine =
                                           [&](int64_t longest) {
                                             longest_ = longest;
                                             return std::make_unique<FakeEngine>(says, seen_);
                                           },
                                       .chat = &model.chat(),
                                       .stop_ids = {1},
                                       .stopped = [&] { return stopped_; }});
    std::vector<std::string> out(asked.size());
    respondent.answer(asked, [&](size_t i, std::string text) { out[i] = std::move(text); });
    return out;
  }
  static Answerable text(const std::string& prompt) {
    return {.prompt = prompt, .stops = {"Question:", "\n\n"}, .max_tokens = 20};
  }

  std::vector<model::GenerationRequest> seen_ = {};
  int64_t longest_ = 0;
  bool stopped_ = false;
};

TEST_F(LocalAnswers, EndWhereTheyAreToEnd) {
  const auto same = [](const std::string& prompt) { return prompt; };
  const auto answers = ask({text("four. Question: what"), text("four\n\nQuest"), text("four\nQ"),
                            text("답은 넷"), text("123456789012345678901234567890")},
                           same);
  // Nothing is generated behind a stop text; whoever asked cuts it off.
  EXPECT_EQ(answers[0], "four. Question:");
  EXPECT_EQ(answers[1], "four\n\n");
  EXPECT_EQ(answers[2], "four\nQ");
  EXPECT_EQ(answers[3], "답은 넷");
  EXPECT_EQ(answers[4], "12345678901234567890");
  EXPECT_EQ(longest_, 30 + 20);
}

TEST_F(LocalAnswers, ManyAreAllAnswered) {
  std::vector<Answerable> asked;
  for (int i = 0; i < 300; ++i) asked.push_back(text(std::to_string(i)));
  const auto answers = ask(asked, [](const std::string& prompt) { return "<" + prompt + ">"; });
  for (int i = 0; i < 300; ++i)
    EXPECT_EQ(answers[static_cast<size_t>(i)], "<" + std::to_string(i) + ">");
}

TEST_F(LocalAnswers, ConversationsAreWrittenInTheTemplate) {
  Answerable asked{.messages = {{.role = "system", .content = "Be brief."},
                                {.role = "user", .content = "Hi"},
                                {.role = "assistant", .content = "Ho"},
                                {.role = "user", .content = "Why?"}},
                   .max_tokens = 5,
                   .temperature = 0.7,
                   .seed = 9};
  ask({asked}, [](const std::string& prompt) {
    EXPECT_EQ(prompt,
              "### System:\nBe brief.\n\n### User:\nHi\n\n### Assistant:\nHo</s>\n\n### "
              "User:\nWhy?\n\n### Assistant:\n");
    return "So";
  });
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].sampler.temperature, 0.7);
  EXPECT_EQ(seen_[0].seed, 9u);
  EXPECT_EQ(seen_[0].stop_ids, (std::vector<text::TokenId>{1}));
}

TEST_F(LocalAnswers, ALongPromptLosesItsBeginning) {
  ask({text(std::string(90, 'a') + "bcde")},
      [](const std::string& prompt) {
        EXPECT_EQ(prompt, std::string(76, 'a') + "bcde");
        return "x";
      },
      {.positions = 100});
  EXPECT_EQ(longest_, 100);
  ask({text("")}, [](const std::string&) { return "x"; }, {});
  EXPECT_EQ(seen_.back().prompt, (std::vector<text::TokenId>{0})) << "BOS stands for an empty text";
}

TEST_F(LocalAnswers, WhatGoesWrongComesOut) {
  EXPECT_THROW(ask({text("a"), text("b")}, [](const std::string&) { return "!"; }), Error);
  stopped_ = true;
  try {
    ask({text("a")}, [](const std::string&) { return "x"; });
    ADD_FAILURE() << "a stop ends it";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
}

}  // namespace
}  // namespace helio::eval
