// How a model writes its tool calls, and taking them out of what it writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/call_reader.h"

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
  std::string arguments = {};  // JSON, as it was written
};

// Takes the calls out of an answer as it comes.
class ToolCallStream {
 public:
  enum class Calls : uint8_t {
    whole,   // text that looks like a call and is none stays text
    pieces,  // a call is one from its arguments' first brace on; what comes of them is given at
             // once
  };
  // `given`: the beginning of the answer that was part of the prompt.
  explicit ToolCallStream(ToolFormat format, std::string_view given = {},
                          Calls calls = Calls::whole);

  struct Piece {
    size_t call = 0;
    std::optional<std::string> name = {};  // with a call's first piece
    std::string arguments = {};            // what has come of them
  };
  struct Part {
    std::string text = {};
    std::vector<Piece> calls = {};
  };
  Part push(std::string_view text);
  // At the answer's end.
  Part finish();
  size_t calls() const { return calls_; }

 private:
  void read(Part& out);
  bool at_call() const;
  bool read_hermes(Part& out);
  bool read_pieces(Part& out);
  std::optional<size_t> object_begin();
  bool skip_between();
  void give_text(Part& out, std::string_view text);
  void give_calls(Part& out, std::vector<ToolCall> calls);

  ToolFormat format_;
  Calls kind_;
  std::string held_ = {};  // not yet told what it is
  // In pieces: the call that is read, up to where in held_; whether it has been told of; whether
  // another may follow the last one without a mark.
  std::optional<CallReader> reader_ = {};
  size_t read_to_ = 0;
  bool open_ = false, between_ = false, list_ = false;
  size_t calls_ = 0;
  bool spoken_ = false;  // some text has been given
};

}  // namespace helio::serve
