#include "serve/tool_format.h"

#include <algorithm>

#include "core/json.h"

namespace helio::serve {
namespace {

constexpr std::string_view kOpen = "<tool_call>", kClose = "</tool_call>";
constexpr std::string_view kCalls = "[TOOL_CALLS]", kArgs = "[ARGS]", kCallId = "[CALL_ID]";
constexpr std::string_view kPython = "<|python_tag|>";
constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

// How many characters at the end of `text` begin `mark`.
size_t begun(std::string_view text, std::string_view mark) {
  for (size_t size = std::min(text.size(), mark.size() - 1); size > 0; --size)
    if (text.ends_with(mark.substr(0, size))) return size;
  return 0;
}

// {"name": ..., "arguments" or "parameters": an object, or a text of one}.
bool add_call(const OrderedJson& json, std::vector<ToolCall>& calls) {
  if (!json.is_object() || !json.contains("name") || !json["name"].is_string()) return false;
  for (const char* key : {"arguments", "parameters"}) {
    if (!json.contains(key)) continue;
    const OrderedJson& given = json[key];
    if (!given.is_object() && !given.is_string()) return false;
    calls.push_back({.name = json["name"].get<std::string>(),
                     .arguments = given.is_string() ? given.get<std::string>() : compact(given)});
    return true;
  }
  return false;
}

OrderedJson parsed(std::string_view text) {
  try {
    parse_json(text, "a tool call");  // its depth
    return OrderedJson::parse(text);
  } catch (const std::exception&) {
    return OrderedJson(OrderedJson::value_t::discarded);
  }
}

// Where the JSON object or array that begins at the text's first character ends; npos: it does not.
size_t json_end(std::string_view text) {
  int64_t depth = 0;
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside) {
      if (c == '\\') ++i;
      else if (c == '"') inside = false;
      continue;
    }
    if (c == '"') inside = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return i + 1;
  }
  return text.npos;
}

// Objects with ; or white space between; empty when the text is anything else.
std::vector<ToolCall> objects(std::string_view text) {
  std::vector<ToolCall> calls;
  for (text = trimmed(text); !text.empty();) {
    const size_t end = text.front() == '{' ? json_end(text) : text.npos;
    if (end == text.npos || !add_call(parsed(text.substr(0, end)), calls)) return {};
    text = trimmed(text.substr(end));
    if (text.starts_with(';')) text = trimmed(text.substr(1));
  }
  return calls;
}

// What follows [TOOL_CALLS].
std::vector<ToolCall> mistral_calls(std::string_view text) {
  std::vector<ToolCall> calls;
  text = trimmed(text);
  if (text.starts_with('[')) {
    const OrderedJson list = parsed(text);
    if (!list.is_array()) return {};
    for (const auto& one : list)
      if (!add_call(one, calls)) return {};
    return calls;
  }
  while (!text.empty()) {  // name[CALL_ID]id[ARGS]{...}, the next behind its own [TOOL_CALLS]
    const size_t mark = text.find(kArgs);
    if (mark == text.npos) return {};
    std::string_view name = text.substr(0, mark);
    name = trimmed(name.substr(0, name.find(kCallId)));
    text = trimmed(text.substr(mark + kArgs.size()));
    const size_t end = text.starts_with('{') ? json_end(text) : text.npos;
    if (end == text.npos || name.empty() || !parsed(text.substr(0, end)).is_object()) return {};
    calls.push_back({.name = std::string(name), .arguments = std::string(text.substr(0, end))});
    text = trimmed(text.substr(end));
    if (text.starts_with(kCalls)) text = trimmed(text.substr(kCalls.size()));
  }
  return calls;
}

}  // namespace

ToolFormat tool_format_of(std::string_view chat_template) {
  const auto has = [&](std::string_view text) {
    return chat_template.find(text) != chat_template.npos;
  };
  if (has(kOpen)) return ToolFormat::hermes;
  if (has("TOOL_CALLS")) return has(kArgs) ? ToolFormat::mistral_args : ToolFormat::mistral;
  if (has(kPython) || (has("\"parameters\"") && has("ipython"))) return ToolFormat::llama3;
  return ToolFormat::none;
}

const std::vector<std::string>& tool_marks(ToolFormat format) {
  static const std::vector<std::string> none,
      hermes = {std::string(kOpen), std::string(kClose)},
      mistral = {std::string(kCalls), std::string(kArgs), std::string(kCallId)},
      llama3 = {std::string(kPython)};
  switch (format) {
    case ToolFormat::hermes:
      return hermes;
    case ToolFormat::mistral:
    case ToolFormat::mistral_args:
      return mistral;
    case ToolFormat::llama3:
      return llama3;
    case ToolFormat::none:
      break;
  }
  return none;
}

ToolCallStream::ToolCallStream(ToolFormat format, std::string_view given)
    : format_(format), held_(given) {}

// White space around calls is no text.
void ToolCallStream::give_text(Part& out, std::string_view text) {
  if (!spoken_ && trimmed(text).empty()) return;
  spoken_ = true;
  out.text += text;
}

void ToolCallStream::give_calls(Part& out, std::vector<ToolCall> calls) {
  calls_ += calls.size();
  for (auto& call : calls) out.calls.push_back(std::move(call));
  spoken_ = false;
}

// One call at the beginning of held_; false: its end has not come.
bool ToolCallStream::read_hermes(Part& out) {
  const size_t end = held_.find(kClose);
  if (end == held_.npos) return false;
  std::vector<ToolCall> calls;
  const std::string_view all(held_);
  if (add_call(parsed(trimmed(all.substr(kOpen.size(), end - kOpen.size()))), calls))
    give_calls(out, std::move(calls));
  else give_text(out, all.substr(0, end + kClose.size()));
  held_.erase(0, end + kClose.size());
  return true;
}

void ToolCallStream::read(Part& out) {
  if (format_ == ToolFormat::none) {
    out.text += std::exchange(held_, {});
    return;
  }
  const std::string_view mark = format_ == ToolFormat::hermes   ? kOpen
                                : format_ == ToolFormat::llama3 ? kPython
                                                                : kCalls;
  while (true) {
    if (held_.starts_with(mark)) {
      if (format_ != ToolFormat::hermes || !read_hermes(out)) return;
      continue;
    }
    // Llama's calls may come without their mark, as the whole answer.
    const std::string_view all(held_);
    const bool bare = format_ == ToolFormat::llama3 && !spoken_ && calls_ == 0;
    if (bare && (trimmed(all).empty() || trimmed(all).front() == '{')) return;
    size_t plain = all.find(mark);
    if (plain == all.npos) plain = all.size() - begun(all, mark);
    // White space before a call that may come is kept back.
    size_t shown = plain;
    if (!spoken_ && trimmed(all.substr(0, plain)).empty()) shown = 0;
    if (shown > 0) give_text(out, all.substr(0, shown));
    const bool at_mark = all.substr(plain).starts_with(mark);
    held_.erase(0, at_mark ? plain : shown);
    if (!at_mark) return;
  }
}

ToolCallStream::Part ToolCallStream::push(std::string_view text) {
  Part out;
  held_ += text;
  read(out);
  return out;
}

ToolCallStream::Part ToolCallStream::finish() {
  Part out;
  std::vector<ToolCall> calls;
  std::string_view rest(held_);
  if (format_ == ToolFormat::llama3) {
    if (rest.starts_with(kPython)) rest.remove_prefix(kPython.size());
    calls = objects(rest);
  } else if (rest.starts_with(kCalls)) {
    calls = mistral_calls(rest.substr(kCalls.size()));
  } else if (rest.starts_with(kOpen)) {  // the end mark itself may be what ended the answer
    add_call(parsed(trimmed(rest.substr(kOpen.size()))), calls);
  }
  if (calls.empty()) give_text(out, held_);
  else give_calls(out, std::move(calls));
  held_.clear();
  return out;
}

}  // namespace helio::serve
