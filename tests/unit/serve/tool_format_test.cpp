// Tool calls in what models write: whole, in pieces of every size, and what only looks like one.
#include "serve/tool_format.h"

#include <gtest/gtest.h>

#include <array>

#include "../../fuzz/tool_calls_fuzz.h"
#include "../support/mutate.h"
#include "core/fs.h"

namespace helio::serve {
namespace {

struct Read {
  std::string text = {};
  std::vector<std::pair<std::string, std::string>> calls = {};
  bool operator==(const Read&) const = default;
};

using Calls = ToolCallStream::Calls;

Read read(ToolFormat format, std::string_view answer, size_t piece, std::string_view given = {},
          Calls calls = Calls::whole, size_t* pieces = nullptr) {
  ToolCallStream stream(format, given, calls);
  Read out;
  const auto add = [&](const ToolCallStream::Part& part) {
    out.text += part.text;
    if (pieces) *pieces += part.calls.size();
    for (const auto& call : part.calls) {
      EXPECT_EQ(call.name.has_value(), call.call == out.calls.size());
      if (call.name) out.calls.emplace_back(*call.name, "");
      out.calls.back().second += call.arguments;
    }
  };
  for (size_t at = 0; at < answer.size(); at += piece) add(stream.push(answer.substr(at, piece)));
  add(stream.finish());
  EXPECT_EQ(stream.calls(), out.calls.size());
  return out;
}

void expect(ToolFormat format, std::string_view answer, const Read& wanted,
            std::string_view given = {}) {
  for (const size_t piece : {size_t(1), size_t(2), size_t(3), size_t(7), answer.size()}) {
    for (const Calls calls : {Calls::whole, Calls::pieces}) {
      const Read got = read(format, answer, piece, given, calls);
      EXPECT_EQ(got.text, wanted.text) << answer << " in pieces of " << piece << int(calls);
      EXPECT_EQ(got.calls, wanted.calls) << answer << " in pieces of " << piece << int(calls);
    }
  }
}

TEST(ToolFormat, IsKnownByTheTemplate) {
  EXPECT_EQ(tool_format_of("{{ '<tool_call>' }}"), ToolFormat::hermes);
  EXPECT_EQ(tool_format_of("{{ '[TOOL_CALLS]' }}"), ToolFormat::mistral);
  EXPECT_EQ(tool_format_of("{{ '[TOOL_CALLS]' + name + '[ARGS]' }}"), ToolFormat::mistral_args);
  EXPECT_EQ(tool_format_of("Environment: ipython {\"name\": x, \"parameters\": y}"),
            ToolFormat::llama3);
  EXPECT_EQ(tool_format_of("<|python_tag|>"), ToolFormat::llama3);
  EXPECT_EQ(tool_format_of("{{ message }}"), ToolFormat::none);
}

TEST(ToolFormat, Hermes) {
  const auto format = ToolFormat::hermes;
  expect(format, "Just <b>text</b> <tool", {"Just <b>text</b> <tool"});
  expect(format, R"(<tool_call>
{"name": "a", "arguments": {"x": [1, "</b>"]}}
</tool_call>
<tool_call>{"name": "b", "arguments": {}}</tool_call>)",
         {"", {{"a", R"({"x": [1, "</b>"]})"}, {"b", "{}"}}});
  expect(format,
         R"(One moment. <tool_call>{"name": "a", "arguments": "{\"x\": 1}"}</tool_call> done)",
         {"One moment.  done", {{"a", R"({"x": 1})"}}});
  // The end mark may be what ended the answer.
  expect(format, R"(<tool_call>{"name": "a", "arguments": {}})", {"", {{"a", "{}"}}});
  for (const char* broken :
       {"<tool_call>not json</tool_call>", "<tool_call>{\"name\": 5}</tool_call>",
        "<tool_call>{\"name\": \"a\", \"argu"})
    expect(format, broken, {broken});
  // The name behind the arguments, and members of the same names inside them.
  expect(
      format,
      R"(<tool_call>{"arguments": {"name": "b", "arguments": {"}": 1}}, "id": 4, "name": "a"}</tool_call> x)",
      {" x", {{"a", R"({"name": "b", "arguments": {"}": 1}})"}}});
  expect(format, "{\"name\": \"a\", \"arguments\": {}}\n</tool_call>", {"", {{"a", "{}"}}},
         "<tool_call>\n");
}

TEST(ToolFormat, Mistral) {
  expect(ToolFormat::mistral,
         R"([TOOL_CALLS][{"name": "a", "arguments": {"x": "한"}}, {"name": "b", "arguments": {}}])",
         {"", {{"a", R"({"x": "한"})"}, {"b", "{}"}}});
  expect(ToolFormat::mistral, "text [TOOL", {"text [TOOL"});
  expect(ToolFormat::mistral_args,
         R"([TOOL_CALLS]a[CALL_ID]123456789[ARGS]{"x": "}"}[TOOL_CALLS]b[ARGS]{})",
         {"", {{"a", R"({"x": "}"})"}, {"b", "{}"}}});
  expect(ToolFormat::mistral_args, R"({"x": 1})", {"", {{"a", R"({"x": 1})"}}},
         "[TOOL_CALLS]a[ARGS]");
  expect(ToolFormat::mistral, "[TOOL_CALLS][{\"name\": \"a\"", {"[TOOL_CALLS][{\"name\": \"a\""});
}

TEST(ToolFormat, Llama) {
  const auto format = ToolFormat::llama3;
  expect(format, R"( {"name": "a", "parameters": {"x": "1"}})", {"", {{"a", R"({"x": "1"})"}}});
  expect(format,
         R"(<|python_tag|>{"name": "a", "parameters": {}}; {"name": "b", "parameters": {}})",
         {"", {{"a", "{}"}, {"b", "{}"}}});
  expect(format, R"({"answer": 42})", {R"({"answer": 42})"});
  expect(format, "The set {1, 2}", {"The set {1, 2}"});
  expect(format, "<|python_tag|>print(1)", {"<|python_tag|>print(1)"});
}

TEST(ToolFormat, ArgumentsComeInPieces) {
  size_t pieces = 0;
  const std::string_view answer =
      "<tool_call>\n{\"name\": \"a\", \"arguments\": {\"city\": \"서울\"}}\n</tool_call>";
  const Read got = read(ToolFormat::hermes, answer, 1, {}, Calls::pieces, &pieces);
  EXPECT_EQ(got, (Read{"", {{"a", "{\"city\": \"서울\"}"}}}));
  EXPECT_EQ(pieces, std::string_view("{\"city\": \"서울\"}").size());
  pieces = 0;
  read(ToolFormat::hermes, answer, 1, {}, Calls::whole, &pieces);
  EXPECT_EQ(pieces, 1);
  // An answer that is cut off: as OpenAI's, what came of the arguments.
  for (const auto format : {ToolFormat::hermes, ToolFormat::llama3, ToolFormat::mistral}) {
    const char* mark = format == ToolFormat::hermes   ? "<tool_call>"
                       : format == ToolFormat::llama3 ? "<|python_tag|>"
                                                      : "[TOOL_CALLS][";
    const std::string cut = std::string(mark) + R"({"name": "a", "arguments": {"x": [1, "y)";
    EXPECT_EQ(read(format, cut, 3, {}, Calls::pieces), (Read{"", {{"a", R"({"x": [1, "y)"}}}));
    EXPECT_EQ(read(format, cut, 3), (Read{cut}));
  }
  // What is broken behind the first brace ends the call.
  EXPECT_EQ(
      read(ToolFormat::hermes, R"(<tool_call>{"name": "a", "arguments": {"x": </tool_call> and on)",
           4, {}, Calls::pieces),
      (Read{" and on", {{"a", R"({"x": )"}}}));
}

TEST(ToolFormat, DamagedAnswersAreReadTheSameInEverySteps) {
  constexpr std::array<std::string_view, 17> kPieces = {"<tool_call>",
                                                        "</tool_call>",
                                                        "[TOOL_CALLS]",
                                                        "[ARGS]",
                                                        "[CALL_ID]",
                                                        "<|python_tag|>",
                                                        "\"name\":",
                                                        "\"x\"",
                                                        "arguments",
                                                        "{",
                                                        "}",
                                                        "[",
                                                        "]",
                                                        ";",
                                                        ",",
                                                        "\\\"",
                                                        "\n "};
  Rng rng(5);
  for (const auto& file : list_files(fs::path(HELIO_SOURCE_DIR) / "tests/fuzz/corpus/tool_calls")) {
    const std::string answer = read_file(file);
    ASSERT_NO_THROW(fuzz::try_tool_calls(answer)) << answer;
    for (int i = 0; i < 1500; ++i) {
      const std::string changed = mutate(answer, kPieces, rng, {.begin = 1});
      ASSERT_NO_THROW(fuzz::try_tool_calls(changed)) << changed;
    }
  }
}

}  // namespace
}  // namespace helio::serve
