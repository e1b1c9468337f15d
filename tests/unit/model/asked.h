// Requests to an engine and what became of them, for its tests.
#pragma once

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "model/generation_engine.h"
#include "text/grammar/gbnf.h"
#include "tiny.h"

namespace helio::model {

using Ids = std::vector<text::TokenId>;

class Collected final : public GenerationSink {
 public:
  void prompt_scored(const std::vector<TokenScore>& scores) override { prompt = scores; }
  bool token(const TokenScore& score) override {
    const std::lock_guard lock(mutex_);
    scores.push_back(score);
    return enough == 0 || scores.size() < enough;
  }
  void finished(Finish how, const std::string& why) override {
    const std::lock_guard lock(mutex_);
    finish = how;
    error = why;
    done_ = true;
    ended_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(ended_.wait_for(lock, std::chrono::seconds(60), [&] { return done_; }));
  }
  Ids ids() const {
    Ids out;
    for (const auto& score : scores) out.push_back(score.id);
    return out;
  }

  void drafted(int64_t of_draft, int64_t stood) override {
    proposed = of_draft;
    accepted = stood;
  }

  std::vector<TokenScore> prompt = {}, scores = {};
  int64_t proposed = -1, accepted = -1;
  size_t enough = 0;
  Finish finish = Finish::failed;
  std::string error = {};

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
};

struct Asked {
  GenerationRequest request = {};
  std::shared_ptr<Collected> sink = std::make_shared<Collected>();
  explicit Asked(const std::vector<int64_t>& prompt, int64_t tokens = 20) {
    request.prompt = Ids(prompt.begin(), prompt.end());
    request.max_new_tokens = tokens;
    request.sink = sink;
  }
};

inline void run(GenerationEngine& engine, std::vector<Asked*> all) {
  std::vector<GenerationRequest> requests;
  for (Asked* one : all) requests.push_back(one->request);
  ASSERT_TRUE(engine.submit(std::move(requests)));
  for (Asked* one : all) one->sink->wait();
}

// Greedy, one sequence, all of it run again for every token: no cache that could be wrong.
inline Ids plain_greedy(const Decoder& decoder, std::vector<int64_t> ids, int64_t tokens) {
  const c10::AutoGradMode no_grad(false);
  Ids out;
  for (int64_t i = 0; i < tokens; ++i) {
    const at::Tensor hidden = decoder.hidden(PackedBatch::rows(id_tensor(ids)));
    const at::Tensor logits = decoder.logits(hidden.select(1, hidden.size(1) - 1));
    out.push_back(static_cast<text::TokenId>(logits.argmax().item<int64_t>()));
    ids.push_back(out.back());
  }
  return out;
}

// Ids 1 to 60 are characters from ' ' on, as many as the tiny model has; 0 ends.
class TinyTokenizer final : public text::Tokenizer {
 public:
  std::vector<text::TokenId> encode(std::string_view, text::SpecialTokens) const override {
    return {};
  }
  std::string decode(const Ids&, text::SpecialTokens) const override { return {}; }
  std::string token_bytes(text::TokenId id) const override {
    return id == 0 ? "" : std::string(1, static_cast<char>(' ' + id - 1));
  }
  int64_t vocab_size() const override { return 61; }
  std::optional<text::TokenId> id_of(std::string_view) const override { return std::nullopt; }
  const std::vector<text::AddedToken>& added_tokens() const override { return added_; }

 private:
  std::vector<text::AddedToken> added_ = {};
};

inline std::shared_ptr<text::TokenGrammar> tiny_grammar(const char* gbnf) {
  return std::make_shared<text::TokenGrammar>(
      std::make_shared<text::Grammar>(text::parse_gbnf(gbnf, "g")),
      std::make_shared<text::TokenTree>(TinyTokenizer()));
}

}  // namespace helio::model
