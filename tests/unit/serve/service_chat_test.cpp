// Chats: templates, forms of answers, tool calls.
#include "scripted_service.h"

namespace helio::serve {
namespace {

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
            (Json{{"name", "weather"}, {"arguments", "{\"city\": \"서울\"}"}}));
  std::string content;
  Json calls = Json::array();
  for (const auto& chunk : stream("/v1/chat/completions", body)) {
    const Json& delta = chunk["choices"][0]["delta"];
    content += delta.value("content", "");
    for (const auto& call : delta.value("tool_calls", Json::array())) calls.push_back(call);
  }
  EXPECT_EQ(content, "Sure.\n");
  // The name first, then the arguments as they come.
  ASSERT_GT(calls.size(), 5);
  EXPECT_EQ(calls[0]["function"]["name"], "weather");
  EXPECT_EQ(calls[0]["type"], "function");
  std::string arguments;
  for (const auto& call : calls) {
    EXPECT_EQ(call["index"], 0);
    EXPECT_EQ(call.contains("id"), &call == &calls[0]);
    EXPECT_EQ(call["function"].contains("name"), &call == &calls[0]);
    arguments += call["function"]["arguments"].get<std::string>();
  }
  EXPECT_EQ(arguments, "{\"city\": \"서울\"}");
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
  EXPECT_EQ(forced["message"]["tool_calls"][0]["function"]["arguments"], "{\"city\": \"x\"}");
  const auto& asked = state.seen.back();
  EXPECT_EQ(asked.prompt.size(), std::string("user:hi;<tool_call>\n").size());
  text::GrammarMatcher matcher(asked.grammar);
  EXPECT_TRUE(matcher.accept(std::string_view(state.script)) && matcher.at_end());
  EXPECT_FALSE(text::GrammarMatcher(asked.grammar).accept(std::string_view("{\"name\": \"o")));
  body["tool_choice"]["function"]["name"] = "other";
  EXPECT_EQ(ask("/v1/chat/completions", body, 400)["error"]["param"], "tool_choice");
}

}  // namespace
}  // namespace helio::serve
