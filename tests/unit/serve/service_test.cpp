// The API in front of an engine that answers from a script: what clients send and get.
#include "serve/service.h"

#include <deque>
#include <mutex>
#include <thread>

#include "client.h"
#include "core/error.h"
#include "core/json.h"

namespace helio::serve {
namespace {

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

TEST_F(ServiceTest, CompletesText) {
  start();
  const Json answer = ask("/v1/completions", {{"model", "tiny"}, {"prompt", "abc"}});
  EXPECT_EQ(answer["object"], "text_completion");
  EXPECT_EQ(answer["model"], "tiny");
  EXPECT_EQ(answer["choices"][0]["text"], "hello");
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "stop");
  EXPECT_TRUE(answer["choices"][0]["logprobs"].is_null());
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 3);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 6);  // with the end
  EXPECT_EQ(state.seen[0].max_new_tokens, 16);
  EXPECT_EQ(state.seen[0].sampler.temperature, 1);
}

TEST_F(ServiceTest, FourFormsOfPrompts) {
  start();
  const auto texts = [&](const Json& prompt) {
    std::vector<std::string> out;
    const Json answer =
        ask("/v1/completions", {{"prompt", prompt}, {"echo", true}, {"max_tokens", 0}});
    for (const auto& choice : answer["choices"]) out.push_back(choice["text"]);
    return out;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(texts("ab"), (Texts{"ab"}));
  EXPECT_EQ(texts({"ab", "cd"}), (Texts{"ab", "cd"}));
  EXPECT_EQ(texts({97, 98}), (Texts{"ab"}));
  EXPECT_EQ(texts({{97}, {98, 99}}), (Texts{"a", "bc"}));
  for (const Json bad : {Json(5), Json::array(), Json{{"a", 1}}, Json{{300}}, Json{{-1}}, Json{""}})
    if (!bad.is_array() || bad.empty() || !bad[0].is_string())
      ask("/v1/completions", {{"prompt", bad}}, 400);
}

TEST_F(ServiceTest, EchoWithLogProbsScoresThePromptAndOneTokenMore) {
  start();
  const Json answer = ask("/v1/completions", {{"prompt", {97, 98, 99}},
                                              {"echo", true},
                                              {"logprobs", 1},
                                              {"max_tokens", 1},
                                              {"temperature", 0}});
  const Json& scores = answer["choices"][0]["logprobs"];
  EXPECT_EQ(scores["tokens"], (Json{"a", "b", "c", "h"}));
  EXPECT_EQ(scores["token_logprobs"], (Json{nullptr, -0.5, -0.5, -0.125}));
  EXPECT_TRUE(scores["top_logprobs"][0].is_null());
  EXPECT_EQ(scores["top_logprobs"][1], (Json{{"z", -0.25}, {"b", -0.5}}));
  EXPECT_EQ(scores["text_offset"], (Json{0, 1, 2, 3}));
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
  // Also when the one token is the end of the text.
  state.script = "";
  const Json ended = ask("/v1/completions",
                         {{"prompt", "ab"}, {"echo", true}, {"logprobs", 1}, {"max_tokens", 1}});
  EXPECT_EQ(ended["choices"][0]["logprobs"]["tokens"], (Json{"a", "b", "<eos>"}));
  EXPECT_EQ(ended["choices"][0]["text"], "ab");
}

TEST_F(ServiceTest, PartsOfCharactersHaveNamesOfTheirOwn) {
  start();
  state.script = "가";
  const Json answer = ask("/v1/completions", {{"prompt", "x"}, {"logprobs", 0}});
  EXPECT_EQ(answer["choices"][0]["text"], "가");
  EXPECT_EQ(answer["choices"][0]["logprobs"]["tokens"],
            (Json{"bytes:\\xea", "bytes:\\xb0", "bytes:\\x80", "<eos>"}));
  // A stream never sends half of one.
  const auto chunks = stream("/v1/completions", {{"prompt", "x"}});
  EXPECT_EQ(chunks[0]["choices"][0]["text"], "가");
}

TEST_F(ServiceTest, ManyChoicesAndTheBestOfThem) {
  start();
  const Json answer =
      ask("/v1/completions", {{"prompt", {"a", "b"}}, {"n", 2}, {"best_of", 3}, {"seed", 7}});
  ASSERT_EQ(answer["choices"].size(), 4);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(answer["choices"][i]["index"], i);
  ASSERT_EQ(state.seen.size(), 6);
  EXPECT_EQ(state.seen[0].seed, 7);
  EXPECT_EQ(state.seen[2].seed, 9);
  EXPECT_EQ(state.seen[3].seed, 7);  // the same choices for every prompt
}

TEST_F(ServiceTest, StopStringsEndAnAnswer) {
  start();
  EXPECT_EQ(ask("/v1/completions", {{"prompt", "x"}, {"stop", "ll"}})["choices"][0]["text"], "he");
  EXPECT_EQ(ask("/v1/completions", {{"prompt", "x"}, {"stop", {"zz", "lo"}}})["choices"][0]["text"],
            "hel");
}

TEST_F(ServiceTest, StreamsCompletionsWithUsageOnlyWhenAskedFor) {
  start();
  auto chunks = stream("/v1/completions", {{"prompt", "x"}});
  std::string text;
  for (const auto& chunk : chunks) {
    ASSERT_EQ(chunk["choices"].size(), 1);
    EXPECT_FALSE(chunk.contains("usage"));
    EXPECT_EQ(chunk["id"], chunks[0]["id"]);
    text += chunk["choices"][0]["text"];
  }
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(chunks.back()["choices"][0]["finish_reason"], "stop");
  chunks =
      stream("/v1/completions", {{"prompt", "x"}, {"stream_options", {{"include_usage", true}}}});
  EXPECT_TRUE(chunks.back()["choices"].empty());
  EXPECT_EQ(chunks.back()["usage"]["completion_tokens"], 6);
  EXPECT_TRUE(chunks.front()["usage"].is_null());
}

TEST_F(ServiceTest, Chats) {
  start();
  const Json messages = {{{"role", "user"}, {"content", "hi"}}};
  const Json answer = ask("/v1/chat/completions", {{"model", "tiny"}, {"messages", messages}});
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["choices"][0]["message"]["content"], "hello");
  EXPECT_EQ(answer["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(answer["usage"]["prompt_tokens"], std::string("user:hi;").size());
  const auto chunks = stream("/v1/chat/completions", {{"messages", messages}});
  EXPECT_EQ(chunks[0]["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(chunks[1]["choices"][0]["delta"]["content"], "h");
  EXPECT_EQ(chunks.back()["choices"][0]["delta"], Json::object());
  EXPECT_EQ(chunks.back()["choices"][0]["finish_reason"], "stop");
  const Json scored = ask("/v1/chat/completions",
                          {{"messages", messages}, {"logprobs", true}, {"top_logprobs", 1}});
  const Json& first = scored["choices"][0]["logprobs"]["content"][0];
  EXPECT_EQ(first["token"], "h");
  EXPECT_EQ(first["bytes"], (Json{104}));
  EXPECT_EQ(first["top_logprobs"][0]["token"], "q");
  // Content in parts.
  const Json parts = {
      {{"role", "user"},
       {"content", {{{"type", "text"}, {"text", "a"}}, {{"type", "text"}, {"text", "b"}}}}}};
  ask("/v1/chat/completions", {{"messages", parts}});
  EXPECT_EQ(state.seen.back().prompt.size(), std::string("user:ab;").size());
}

TEST_F(ServiceTest, AFormOfTheAnswerIsAGrammarSharedByRequests) {
  start();
  const Json schema = {{"type", "object"}, {"properties", {{"a", {{"type", "integer"}}}}}};
  Json body = {{"prompt", "x"},
               {"response_format",
                {{"type", "json_schema"}, {"json_schema", {{"name", "n"}, {"schema", schema}}}}}};
  ask("/v1/completions", body);
  ask("/v1/completions", body);
  ASSERT_EQ(state.seen.size(), 2);
  ASSERT_TRUE(state.seen[0].grammar);
  EXPECT_EQ(state.seen[0].grammar, state.seen[1].grammar);
  text::GrammarMatcher open(state.seen[0].grammar);
  EXPECT_TRUE(open.accept(std::string_view(R"({"a": 1, "more": 2})")));
  body["response_format"]["json_schema"]["strict"] = true;
  ask("/v1/completions", body);
  text::GrammarMatcher strict(state.seen[2].grammar);
  EXPECT_FALSE(strict.accept(std::string_view(R"({"a": 1, "more": 2})")));
  ask("/v1/completions", {{"prompt", "x"}, {"grammar", "root ::= [a-c]+"}});
  EXPECT_TRUE(text::GrammarMatcher(state.seen[3].grammar).accept(std::string_view("abc")));
  ask("/v1/completions", {{"prompt", "x"}});
  EXPECT_FALSE(state.seen[4].grammar);
  body["response_format"]["json_schema"]["schema"]["properties"]["a"]["not"] = Json::object();
  const Json error = ask("/v1/completions", body, 400)["error"];
  EXPECT_NE(error["message"].get<std::string>().find("$.properties.a: the keyword 'not'"),
            std::string::npos);
}

TEST_F(ServiceTest, ToolCallsAreTakenOutOfTheText) {
  tool_format = ToolFormat::hermes;
  state.positions = 256;
  start();
  const Json messages = {{{"role", "user"}, {"content", "hi"}}};
  const Json tools = {{{"type", "function"},
                       {"function",
                        {{"name", "weather"},
                         {"parameters",
                          {{"type", "object"},
                           {"properties", {{"city", {{"type", "string"}}}}},
                           {"required", {"city"}},
                           {"additionalProperties", false}}}}}}};
  state.script =
      "Sure.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": "
      "\"서울\"}}\n</tool_call>";
  Json body = {{"messages", messages}, {"tools", tools}};
  const Json choice = ask("/v1/chat/completions", body)["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  EXPECT_EQ(choice["message"]["content"], "Sure.\n");
  EXPECT_EQ(choice["message"]["tool_calls"][0]["type"], "function");
  EXPECT_EQ(choice["message"]["tool_calls"][0]["function"],
            (Json{{"name", "weather"}, {"arguments", "{\"city\":\"서울\"}"}}));
  std::string content;
  Json calls = Json::array();
  for (const auto& chunk : stream("/v1/chat/completions", body)) {
    const Json& delta = chunk["choices"][0]["delta"];
    content += delta.value("content", "");
    for (const auto& call : delta.value("tool_calls", Json::array())) calls.push_back(call);
  }
  EXPECT_EQ(content, "Sure.\n");
  ASSERT_EQ(calls.size(), 1);
  EXPECT_EQ(calls[0]["index"], 0);
  EXPECT_EQ(calls[0]["function"]["name"], "weather");
  // Not looked for without tools, or with tool_choice none.
  EXPECT_EQ(
      ask("/v1/chat/completions", {{"messages", messages}})["choices"][0]["message"]["content"],
      state.script);
  body["tool_choice"] = "none";
  EXPECT_EQ(ask("/v1/chat/completions", body)["choices"][0]["finish_reason"], "stop");
  // A call that must come: its beginning is part of the prompt, the rest a grammar.
  state.script = "{\"name\": \"weather\", \"arguments\": {\"city\": \"x\"}}\n</tool_call>";
  body["tool_choice"] = {{"type", "function"}, {"function", {{"name", "weather"}}}};
  const Json forced = ask("/v1/chat/completions", body)["choices"][0];
  EXPECT_TRUE(forced["message"]["content"].is_null());
  EXPECT_EQ(forced["message"]["tool_calls"][0]["function"]["arguments"], "{\"city\":\"x\"}");
  const auto& asked = state.seen.back();
  EXPECT_EQ(asked.prompt.size(), std::string("user:hi;<tool_call>\n").size());
  text::GrammarMatcher matcher(asked.grammar);
  EXPECT_TRUE(matcher.accept(std::string_view(state.script)) && matcher.at_end());
  EXPECT_FALSE(text::GrammarMatcher(asked.grammar).accept(std::string_view("{\"name\": \"o")));
  body["tool_choice"]["function"]["name"] = "other";
  EXPECT_EQ(ask("/v1/chat/completions", body, 400)["error"]["param"], "tool_choice");
}

TEST_F(ServiceTest, ErrorsSayWhatIsWrong) {
  start();
  const auto error = [&](const char* path, const Json& body, int status) {
    const Json answer = ask(path, body, status);
    for (const char* key : {"message", "type", "param", "code"})
      EXPECT_TRUE(answer["error"].contains(key));
    return answer["error"];
  };
  EXPECT_EQ(error("/v1/completions", Json::object(), 400)["param"], "prompt");
  EXPECT_EQ(error("/v1/completions", {{"prompt", "x"}, {"model", "other"}}, 404)["code"],
            "model_not_found");
  EXPECT_EQ(error("/v1/completions", {{"prompt", "x"}, {"temperature", -1}}, 400)["param"],
            "temperature");
  EXPECT_EQ(error("/v1/completions", {{"prompt", "x"}, {"max_tokens", "many"}}, 400)["param"],
            "max_tokens");
  EXPECT_EQ(error("/v1/completions", {{"prompt", std::string(65, 'x')}}, 400)["code"],
            "context_length_exceeded");
  EXPECT_EQ(error("/v1/completions", {{"prompt", "x"}, {"logit_bias", {{"999", 1}}}}, 400)["param"],
            "logit_bias");
  EXPECT_EQ(error("/v1/chat/completions", {{"messages", "hi"}}, 400)["param"], "messages");
  EXPECT_EQ(error("/v1/chat/completions", {{"messages", {{{"role", "alien"}}}}}, 400)["param"],
            "messages");
  EXPECT_EQ(error("/v1/chat/completions",
                  {{"messages", {{{"role", "user"}, {"content", "x"}}}},
                   {"response_format", {{"type", "xml"}}}},
                  400)["param"],
            "response_format");
  EXPECT_EQ(error("/nowhere", Json::object(), 404)["code"], "unknown_route");
  const std::string broken = Client(server->port()).post("/v1/completions", "{\"prompt\": ");
  EXPECT_EQ(status_of(broken), 400);
  EXPECT_EQ(status_of(Client(server->port()).get("/v1/completions")), 405);
  const std::string deep = std::string(10000, '[');
  EXPECT_EQ(status_of(Client(server->port()).post("/v1/completions", deep)), 400);
  // What servers of this kind do not know is passed over.
  ask("/v1/completions", {{"prompt", "x"}, {"user", "me"}, {"store", false}});
}

TEST_F(ServiceTest, AFullQueueAndAFailureHaveTheirStatus) {
  start();
  state.full = true;
  const std::string answer = Client(server->port()).post("/v1/completions", R"({"prompt": "x"})");
  EXPECT_EQ(status_of(answer), 429);
  EXPECT_NE(answer.find("Retry-After: 1"), std::string::npos);
  state.full = false;
  state.fails = true;
  EXPECT_EQ(ask("/v1/completions", {{"prompt", "x"}}, 500)["error"]["message"], "no memory");
  EXPECT_EQ(ask("/v1/completions", {{"prompt", "x"}, {"stream", true}}, 500)["error"]["type"],
            "server_error");
}

TEST_F(ServiceTest, AClientThatLeavesCancelsItsGenerations) {
  start();
  state.holds = true;
  {
    Client client(server->port());
    client.send(
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\n"
        R"({"prompt": "x"})");
    for (int i = 0; i < 500 && state.seen.empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_EQ(state.seen.size(), 1);
    EXPECT_FALSE(*state.seen[0].cancelled);
  }
  for (int i = 0; i < 500 && !*state.seen[0].cancelled; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(*state.seen[0].cancelled);
  state.seen[0].sink->finished(Finish::cancelled, "");
}

TEST_F(ServiceTest, OperatorsRoutes) {
  start();
  Client client(server->port());
  EXPECT_EQ(Json::parse(body_of(client.get("/health")))["status"], "ok");
  EXPECT_TRUE(Json::parse(body_of(client.get("/version"))).contains("version"));
  const Json models = Json::parse(body_of(client.get("/v1/models")));
  EXPECT_EQ(models["data"][0]["id"], "tiny");
  EXPECT_EQ(Json::parse(body_of(client.get("/v1/models/tiny")))["object"], "model");
  EXPECT_EQ(status_of(client.get("/v1/models/none")), 404);
  EXPECT_EQ(Json::parse(body_of(client.get("/tokenizer_info")))["eos_token"], "<eos>");
  EXPECT_EQ(ask("/tokenize", {{"prompt", "hi"}})["tokens"], (Json{104, 105}));
  EXPECT_EQ(ask("/detokenize", {{"tokens", {104, 105}}})["prompt"], "hi");
  const Json vectors = ask("/v1/embeddings", {{"input", {"a", "bcd"}}});
  EXPECT_EQ(vectors["data"][1]["embedding"], (Json{3.0, 0.5}));
  EXPECT_EQ(ask("/v1/embeddings",
                {{"input", "a"}, {"encoding_format", "base64"}})["data"][0]["embedding"],
            "AACAPwAAAD8=");
  ask("/v1/completions", {{"prompt", "x"}});
  const std::string metrics = body_of(client.get("/metrics"));
  EXPECT_NE(metrics.find("helio_requests_total{route=\"/v1/completions\",status=\"200\"} 1"),
            std::string::npos);
  EXPECT_NE(metrics.find("helio_time_to_first_token_seconds_count 1"), std::string::npos);
  EXPECT_NE(metrics.find("helio_requests_answering 0"), std::string::npos);
}

TEST_F(ServiceTest, KeysHostsAndOrigins) {
  start({.keys = {"0123456789abcdef"}, .origins = {"https://studio.example"}});
  Client client(server->port());
  EXPECT_EQ(status_of(client.get("/health")), 401);
  EXPECT_EQ(status_of(client.get("/health", "Authorization: Bearer wrong\r\n")), 401);
  const std::string key = "Authorization: Bearer 0123456789abcdef\r\n";
  EXPECT_EQ(status_of(client.get("/health", key)), 200);
  EXPECT_EQ(status_of(client.ask("GET /health HTTP/1.1\r\nHost: evil.example\r\n" + key + "\r\n")),
            403);
  EXPECT_EQ(status_of(client.get("/health", key + "Origin: https://evil.example\r\n")), 403);
  const std::string answer = client.get("/health", key + "Origin: https://studio.example\r\n");
  EXPECT_NE(answer.find("Access-Control-Allow-Origin: https://studio.example"), std::string::npos);
  EXPECT_EQ(status_of(client.ask("OPTIONS /v1/completions HTTP/1.1\r\nHost: localhost:1\r\n"
                                 "Origin: https://studio.example\r\n\r\n")),
            204);
}

TEST_F(ServiceTest, ADrainingServerTakesNothingNew) {
  start();
  service->begin_draining();
  EXPECT_EQ(status_of(Client(server->port()).get("/health")), 503);
}

}  // namespace
}  // namespace helio::serve
