// A model without weights for tests: bytes are its tokens, and its scores are a fixed function of
// the ids, or whatever the test says. Counts what it is asked.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "../support/temp_dir.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "eval/respondent.h"
#include "model/language_model.h"

namespace helio::eval {

class ByteTokenizer final : public text::Tokenizer {
 public:
  explicit ByteTokenizer(bool adds_bos) : adds_bos_(adds_bos) {}
  std::vector<text::TokenId> encode(std::string_view text,
                                    text::SpecialTokens special) const override {
    std::vector<text::TokenId> ids;
    if (adds_bos_ && special == text::SpecialTokens::add) ids.push_back(0);
    if (text.starts_with("<bos>")) {
      ids.push_back(0);
      text.remove_prefix(5);
    }
    for (const char c : text) ids.push_back(static_cast<uint8_t>(c) + 2);
    return ids;
  }
  std::string decode(const std::vector<text::TokenId>& ids, text::SpecialTokens) const override {
    std::string out;
    for (const auto id : ids)
      if (id >= 2) out.push_back(static_cast<char>(id - 2));
    return out;
  }
  std::string token_bytes(text::TokenId id) const override {
    return decode({id}, text::SpecialTokens::skip);
  }
  int64_t vocab_size() const override { return 258; }
  std::optional<text::TokenId> id_of(std::string_view) const override { return std::nullopt; }
  const std::vector<text::AddedToken>& added_tokens() const override { return added_; }

 private:
  bool adds_bos_;
  std::vector<text::AddedToken> added_ = {{.id = 0, .content = "<bos>", .special = true}};
};

struct FakeOptions {
  bool adds_bos = false;
  int64_t positions = 4096;
  std::string content = "fake";
  text::SpecialIds ids = {.bos = 0, .eos = 1};
  // Log-probability of a request; empty: -1/8 for each byte but a little less for odd hashes.
  std::function<double(const model::ScoreRequest&)> log_prob = {};
  std::atomic<int64_t>* asked = nullptr;  // requests scored
  std::function<void(int64_t call)> on_call =
      {};  // before each score(): may throw, as a kill would stop it
};

class FakeModel final : public model::LanguageModel {
 public:
  explicit FakeModel(FakeOptions options)
      : options_(std::move(options)), tokenizer_(options_.adds_bos) {}
  std::vector<model::Score> score(const std::vector<model::ScoreRequest>& requests) override {
    if (options_.on_call) options_.on_call(calls_);
    ++calls_;
    std::vector<model::Score> out;
    for (const auto& request : requests) {
      if (options_.asked) ++*options_.asked;
      double value = 0;
      if (options_.log_prob) {
        value = options_.log_prob(request);
      } else {
        const std::string bytes(reinterpret_cast<const char*>(request.continuation.data()),
                                request.continuation.size() * 4);
        value = -0.125 * static_cast<double>(request.continuation.size()) -
                static_cast<double>(xxh3_64(bytes + options_.content) % 1000) / 3000;
      }
      out.push_back({.log_prob = value});
    }
    return out;
  }
  std::vector<text::TokenId> generate(const model::GenerateRequest&) override { return {}; }
  const text::Tokenizer& tokenizer() const override { return tokenizer_; }
  const text::SpecialIds& special_ids() const override { return options_.ids; }
  int64_t max_positions() const override { return options_.positions; }
  std::string content() const override { return options_.content; }
  const text::ChatFormat& chat() const override { return chat_; }

 private:
  FakeOptions options_;
  ByteTokenizer tokenizer_;
  text::ChatFormat chat_{
      text::solar_template_jinja(), "solar", {{"eos_token", "</s>"}}, tokenizer_};
  int64_t calls_ = 0;
};

// Answers what the test says, the last question first.
class FakeRespondent final : public Respondent {
 public:
  using Says = std::function<std::string(const Answerable&)>;
  explicit FakeRespondent(Says says, std::atomic<int64_t>* asked = nullptr)
      : says_(std::move(says)), asked_(asked) {}
  void answer(const std::vector<Answerable>& asked,
              const std::function<void(size_t, std::string)>& done) override {
    for (size_t i = asked.size(); i-- > 0;) {
      if (asked_) ++*asked_;
      done(i, says_(asked[i]));
    }
  }

 private:
  Says says_;
  std::atomic<int64_t>* asked_;
};

}  // namespace helio::eval
