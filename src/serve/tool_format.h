// How a model writes its tool calls, and taking them out of what it writes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helio::serve {

enum class ToolFormat : uint8_t {
  none,
  hermes,        // <tool_call>{"name": ..., "arguments": {...}}</tool_call>: Hermes, Qwen
  mistral,       // [TOOL_CALLS][{"name": ..., "arguments": {...}}, ...]
  mistral_args,  // [TOOL_CALLS]name[ARGS]{...}: from tokenizer v11 on
  llama3,  // {"name": ..., "parameters": {...}}, or that behind <|python_tag|>, with ; between
};

// By what the chat template writes for a call.
ToolFormat tool_format_of(std::string_view chat_template);
// Texts that begin or divide calls, special tokens in some vocabularies.
const std::vector<std::string>& tool_marks(ToolFormat format);

struct ToolCall {
  std::string name = {};
  std::string arguments = {};  // JSON
};

// Takes the calls out of an answer as it comes. Text that looks like a call and is none stays text.
class ToolCallStream {
 public:
  // `given`: the beginning of the answer that was part of the prompt.
  explicit ToolCallStream(ToolFormat format, std::string_view given = {});

  struct Part {
    std::string text = {};
    std::vector<ToolCall> calls = {};
  };
  Part push(std::string_view text);
  // At the answer's end.
  Part finish();
  size_t calls() const { return calls_; }

 private:
  void read(Part& out);
  bool read_hermes(Part& out);
  void give_text(Part& out, std::string_view text);
  void give_calls(Part& out, std::vector<ToolCall> calls);

  ToolFormat format_;
  std::string held_ = {};  // not yet told what it is
  size_t calls_ = 0;
  bool spoken_ = false;  // some text has been given
};

}  // namespace helio::serve
