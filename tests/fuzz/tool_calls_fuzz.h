// What the tool call fuzz target and its replay run: an answer read in the streamed and the whole
// way, in steps of every size.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "serve/tool_format.h"

namespace helio::serve::fuzz {

struct ReadAnswer {
  std::string text = {};
  std::vector<std::pair<std::string, std::string>> calls = {};
  bool operator==(const ReadAnswer&) const = default;
};

inline ReadAnswer read_answer(ToolFormat format, ToolCallStream::Calls kind,
                              std::string_view answer, size_t step) {
  ToolCallStream stream(format, {}, kind);
  ReadAnswer out;
  const auto add = [&](const ToolCallStream::Part& part) {
    out.text += part.text;
    for (const auto& piece : part.calls) {
      HELIO_CHECK(piece.name.has_value() == (piece.call == out.calls.size()),
                  "a call's first piece, and only that, has its name");
      if (piece.name) out.calls.emplace_back(*piece.name, "");
      HELIO_CHECK(piece.call + 1 == out.calls.size(), "calls come one after another");
      out.calls.back().second += piece.arguments;
    }
  };
  for (size_t at = 0; at < answer.size(); at += step) add(stream.push(answer.substr(at, step)));
  add(stream.finish());
  HELIO_CHECK(stream.calls() == out.calls.size(), "every call is counted");
  return out;
}

// The first byte says the format, as a digit. The steps' size changes nothing; and where everything
// that looks like a call is one, what comes in pieces is, joined, what the whole reading gives.
inline void try_tool_calls(std::string_view data) {
  if (data.empty()) return;
  const auto format = static_cast<ToolFormat>(static_cast<unsigned char>(data.front() - '0') % 5);
  const std::string_view answer = data.substr(1, 4096);
  using Calls = ToolCallStream::Calls;
  const auto read = [&](Calls kind) {
    const ReadAnswer once = read_answer(format, kind, answer, std::max<size_t>(answer.size(), 1));
    for (const size_t step : {1, 2, 5})
      HELIO_CHECK(read_answer(format, kind, answer, step) == once,
                  "the steps an answer comes in change what it is read as");
    return once;
  };
  const ReadAnswer whole = read(Calls::whole), pieces = read(Calls::pieces);
  const auto looks_like_a_call = [&](std::string_view text) {
    const auto& marks = tool_marks(format);
    return text.find('{') != text.npos || std::any_of(marks.begin(), marks.end(), [&](auto& mark) {
             return text.find(mark) != text.npos;
           });
  };
  HELIO_CHECK(looks_like_a_call(whole.text) || pieces == whole,
              "arguments in pieces are not the whole arguments");
}

}  // namespace helio::serve::fuzz
