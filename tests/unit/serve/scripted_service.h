// The API in front of an engine that answers from a script, for its tests.
#pragma once

#include <deque>
#include <mutex>
#include <thread>

#include "client.h"
#include "core/error.h"
#include "core/json.h"
#include "serve/service.h"

namespace helio::serve {

using model::Finish;
using model::TokenScore;

// Ids are bytes; 256 is the end.
class ByteTokenizer final : public text::Tokenizer {
 public:
  std::vector<text::TokenId> encode(std::string_view text, text::SpecialTokens) const override {
    std::vector<text::TokenId> ids;
    for (const char byte : text) ids.push_back(static_cast<uint8_t>(byte));
    return ids;
  }
  std::string decode(const std::vector<text::TokenId>& ids, text::SpecialTokens) const override {
    std::string out;
    for (const auto id : ids) out += token_bytes(id);
    return out;
  }
  std::string token_bytes(text::TokenId id) const override {
    return id == 256 ? "<eos>" : std::string(1, static_cast<char>(id));
  }
  int64_t vocab_size() const override { return 257; }
  std::optional<text::TokenId> id_of(std::string_view) const override { return std::nullopt; }
  const std::vector<text::AddedToken>& added_tokens() const override { return added_; }

 private:
  std::vector<text::AddedToken> added_ = {{.id = 256, .content = "<eos>", .special = true}};
};

// Answers every request with `script` (then the end), on the caller's thread.
class ScriptedEngine final : public model::GenerationEngine {
 public:
  struct State {
    std::string script = "hello";
    bool full = false, fails = false, holds = false;
    int64_t positions = 64;
    std::vector<model::GenerationRequest> seen = {};
  };
  explicit ScriptedEngine(State& state) : state_(state) {}

  bool submit(std::vector<model::GenerationRequest> requests) override {
    if (state_.full) return false;
    for (auto& request : requests) {
      state_.seen.push_back(request);
      if (!state_.holds) answer(request);
    }
    return true;
  }
  model::EngineLoad load() const override { return {.slots = 4, .cache_capacity = 64}; }
  int64_t max_positions() const override { return state_.positions; }
  void embed(std::vector<std::vector<text::TokenId>> texts,
             std::function<void(Vectors, const std::string&)> done) override {
    Vectors vectors;
    for (const auto& ids : texts) vectors.push_back({static_cast<float>(ids.size()), 0.5f});
    done(vectors, "");
  }

  void answer(const model::GenerationRequest& request) const {
    auto& sink = *request.sink;
    if (state_.fails) return sink.finished(Finish::failed, "no memory");
    if (request.prompt_scores == model::PromptScores::report) {
      std::vector<TokenScore> scores;
      for (size_t i = 1; i < request.prompt.size(); ++i)
        scores.push_back({request.prompt[i], -0.5f, {{'z', -0.25f}}});
      sink.prompt_scored(scores);
    }
    int64_t made = 0;
    for (const char byte : state_.script + "\xFF") {
      if (made++ == request.max_new_tokens) return sink.finished(Finish::length, "");
      const bool end = static_cast<uint8_t>(byte) == 0xFF;
      const TokenScore score{end ? 256 : static_cast<uint8_t>(byte), -0.125f, {{'q', -0.0625f}}};
      const bool wanted = sink.token(score);
      if (end) return sink.finished(Finish::eos, "");
      if (!wanted) return sink.finished(Finish::stopped, "");
    }
  }

 private:
  State& state_;
};

class ServiceTest : public ::testing::Test {
 protected:
  void start(AccessOptions access = {}) {
    ServedModel model;
    model.name = "tiny";
    model.tokenizer = std::make_unique<ByteTokenizer>();
    model.special_ids.eos = 256;
    model.stop_ids = {256};
    model.render_chat = [](const ChatPrompt& prompt) {
      std::string out;
      for (const auto& message : prompt.messages) {
        if (message["role"] == "alien") throw Error(ErrorKind::invalid, "unknown role 'alien'");
        out += message["role"].get<std::string>() + ":" + message.value("content", "") + ";";
      }
      return out;
    };
    model.tool_format = tool_format;
    model.grammars = std::make_unique<GrammarStore>(*model.tokenizer);
    model.engine = std::make_unique<ScriptedEngine>(state);
    std::vector<ServedModel> models;
    models.push_back(std::move(model));
    service = std::make_unique<Service>(std::make_unique<ModelShelf>(std::move(models)),
                                        std::move(access));
    server =
        std::make_unique<HttpServer>(HttpOptions{}, [this](HttpRequest request, HttpReply reply) {
          service->handle(std::move(request), std::move(reply));
        });
    thread = std::thread([this] { server->run(); });
  }
  void TearDown() override {
    state.seen.clear();
    if (server) server->stop(0);
    if (server) server->stop(0);
    if (thread.joinable()) thread.join();
    service.reset();
  }
  Json ask(const std::string& path, const Json& body, int status = 200) {
    const std::string answer = Client(server->port()).post(path, body.dump());
    EXPECT_EQ(status_of(answer), status) << answer;
    return Json::parse(body_of(answer));
  }
  // The chunks of a streamed answer, without the last "[DONE]".
  std::vector<Json> stream(const std::string& path, Json body) {
    body["stream"] = true;
    const std::string text = body.dump();
    Client client(server->port());
    client.send("POST " + path + " HTTP/1.0\r\nHost: localhost\r\nContent-Length: " +
                std::to_string(text.size()) + "\r\n\r\n" + text);
    std::string all = body_of(client.read_to_end());
    std::vector<Json> chunks;
    EXPECT_TRUE(all.ends_with("data: [DONE]\n\n")) << all;
    for (size_t at = 0; (at = all.find("data: {", at)) != all.npos;) {
      const size_t end = all.find("\n\n", at);
      chunks.push_back(Json::parse(all.substr(at + 6, end - at - 6)));
      at = end;
    }
    return chunks;
  }

  ScriptedEngine::State state;
  ToolFormat tool_format = ToolFormat::none;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<Service> service;
  std::thread thread;
};

}  // namespace helio::serve
