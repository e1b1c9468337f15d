// What clients send and get.
#include "scripted_service.h"

namespace helio::serve {
namespace {

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
  const Json messages = {{{"role", "user"}, {"content", "hi"}}};
  EXPECT_EQ(ask("/tokenize", {{"messages", messages}})["count"], std::string("user:hi;").size());
  EXPECT_EQ(ask("/tokenize", {{"prompt", 5}}, 400)["error"]["param"], "prompt");
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
