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

OrderedJson parsed(std::string_view text) {
  try {
    parse_json(text, "a tool call");  // its depth
    return OrderedJson::parse(text);
  } catch (const std::exception&) {
    return OrderedJson(OrderedJson::value_t::discarded);
  }
}

// {"name": ..., "arguments" or "parameters": an object, or a text of one}. Of members that are
// there twice the one that the streamed reading takes.
bool add_call(std::string_view text, std::vector<ToolCall>& calls) {
  const OrderedJson json = parsed(text);
  if (!json.is_object()) return false;
  CallReader reader;
  reader.push(text);
  if (reader.opened()) {
    calls.push_back({.name = reader.name(), .arguments = reader.take_arguments()});
    return true;
  }
  const auto text_of = [&](const char* key) -> std::optional<std::string> {
    if (!json.contains(key) || !json[key].is_string()) return std::nullopt;
    return json[key].get<std::string>();
  };
  const auto name = text_of("name");
  auto arguments = text_of("arguments");
  if (!arguments) arguments = text_of("parameters");
  if (!name || !arguments) return false;
  calls.push_back({.name = *name, .arguments = *arguments});
  return true;
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
    if (end == text.npos || !add_call(text.substr(0, end), calls)) return {};
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
    if (!parsed(text).is_array()) return {};
    text = trimmed(text.substr(1));
    while (!text.starts_with(']')) {
      const size_t end = text.starts_with('{') ? json_end(text) : text.npos;
      if (end == text.npos || !add_call(text.substr(0, end), calls)) return {};
      text = trimmed(text.substr(end));
      if (text.starts_with(',')) text = trimmed(text.substr(1));
    }
    return calls;
  }
  while (!text.empty()) {  // name[CALL_ID]id[ARGS]{...}, the next behind its own [TOOL_CALLS]
    const size_t mark = text.find(kArgs);
    if (mark == text.npos) return {};
    std::string_view name = text.substr(0, mark);
    name = trimmed(name.substr(0, name.find(kCallId)));
    text = trimmed(text.substr(mark + kArgs.size()));
    const size_t end = text.starts_with('{') ? json_end(text) : text.npos;
    const bool named = !name.empty() && name.front() != '[';
    if (end == text.npos || !named || !parsed(text.substr(0, end)).is_object()) return {};
    calls.push_back({.name = std::string(name), .arguments = std::string(text.substr(0, end))});
    text = trimmed(text.substr(end));
    if (text.empty()) break;
    if (!text.starts_with(kCalls)) return {};
    text = trimmed(text.substr(kCalls.size()));
    if (text.empty()) return {};
  }
  return calls;
}

// Where the mark stands that ends the Hermes call at the text's beginning: not the first one inside
// a string of its arguments. npos: it has not come.
size_t hermes_close(std::string_view text) {
  CallReader reader;
  size_t at = std::min(text.find_first_not_of(kSpaces, kOpen.size()), text.size());
  const bool object = text.substr(at).starts_with('{');
  while (true) {
    const size_t close = text.find(kClose, at);
    if (close == text.npos || !object) return close;
    reader.push(text.substr(at, close - at));
    const bool inside = reader.opened() && reader.push(kClose) == kClose.size();
    if (!inside) return close;
    at = close + kClose.size();
  }
}

std::string_view mark_of(ToolFormat format) {
  return format == ToolFormat::hermes ? kOpen : format == ToolFormat::llama3 ? kPython : kCalls;
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

ToolCallStream::ToolCallStream(ToolFormat format, std::string_view given, Calls calls)
    : format_(format), kind_(calls), held_(given) {}

// White space around calls is no text.
void ToolCallStream::give_text(Part& out, std::string_view text) {
  if (!spoken_ && trimmed(text).empty()) return;
  spoken_ = true;
  out.text += text;
}

void ToolCallStream::give_calls(Part& out, std::vector<ToolCall> calls) {
  for (auto& call : calls)
    out.calls.push_back(
        {.call = calls_++, .name = std::move(call.name), .arguments = std::move(call.arguments)});
  spoken_ = false;
}

// One call at the beginning of held_; false: its end has not come.
bool ToolCallStream::read_hermes(Part& out) {
  const size_t end = hermes_close(held_);
  if (end == held_.npos) return false;
  std::vector<ToolCall> calls;
  const std::string_view all(held_);
  if (add_call(trimmed(all.substr(kOpen.size(), end - kOpen.size())), calls))
    give_calls(out, std::move(calls));
  else give_text(out, all.substr(0, end + kClose.size()));
  held_.erase(0, end + kClose.size());
  reader_.reset();
  return true;
}

// Does a call begin with held_, as far as it has come? Llama's may come without their mark, as the
// whole answer.
bool ToolCallStream::at_call() const {
  const std::string_view all(held_);
  if (open_ || all.starts_with(mark_of(format_))) return true;
  if (between_ && all.starts_with('{')) return true;
  const bool bare = format_ == ToolFormat::llama3 && !spoken_ && calls_ == 0;
  return bare && (trimmed(all).empty() || trimmed(all).front() == '{');
}

void ToolCallStream::read(Part& out) {
  if (format_ == ToolFormat::none) {
    out.text += std::exchange(held_, {});
    return;
  }
  const std::string_view mark = mark_of(format_);
  while (true) {
    if (between_ && !open_ && !skip_between()) return;
    if (at_call()) {
      if (kind_ == Calls::pieces && read_pieces(out)) continue;
      if (open_ || format_ != ToolFormat::hermes || !read_hermes(out)) return;
      continue;
    }
    const std::string_view all(held_);
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

// Of the call at the beginning of held_ what has come of it; true: it has ended.
bool ToolCallStream::read_pieces(Part& out) {
  if (!reader_) {
    const auto begin = object_begin();
    if (!begin) return false;
    read_to_ = *begin;
  }
  const std::string_view all(held_);
  if (!open_ && format_ == ToolFormat::hermes)  // an end mark ends what is not yet a call
    read_to_ += reader_->push(all.substr(0, all.find(kClose, read_to_)).substr(read_to_));
  if (reader_->opened() || format_ != ToolFormat::hermes)
    read_to_ += reader_->push(all.substr(read_to_));
  if (!open_ && reader_->opened()) {
    open_ = true;
    between_ = false;
    out.calls.push_back({.call = calls_++, .name = reader_->name()});
  }
  if (!open_) return false;  // not yet, or no call that comes in pieces
  if (auto fresh = reader_->take_arguments(); !fresh.empty()) {
    if (out.calls.empty()) out.calls.push_back({.call = calls_ - 1});
    out.calls.back().arguments += fresh;
  }
  held_.erase(0, std::exchange(read_to_, 0));
  if (!reader_->ended()) return false;
  reader_.reset();
  open_ = spoken_ = false;
  between_ = true;
  return true;
}

// Where the JSON of the call at the beginning of held_ begins; nothing: not known (yet). Makes the
// reader.
std::optional<size_t> ToolCallStream::object_begin() {
  const std::string_view all(held_), mark = mark_of(format_);
  size_t at = !between_ && all.starts_with(mark) ? mark.size() : 0;
  const auto skip_spaces = [&] { at = std::min(all.find_first_not_of(kSpaces, at), all.size()); };
  skip_spaces();
  std::optional<std::string> name;
  if (mark == kCalls && !between_) {
    list_ = all.substr(at).starts_with('[');
    if (list_) {
      ++at;
    } else {
      const size_t end = all.find(kArgs, at);
      if (end == all.npos) return std::nullopt;
      const std::string_view given = all.substr(at, end - at);
      name = trimmed(given.substr(0, given.find(kCallId)));
      if (name->empty()) return std::nullopt;
      at = end + kArgs.size();
    }
    skip_spaces();
  }
  if (at >= all.size() || all[at] != '{') return std::nullopt;
  if (name) reader_.emplace(*std::move(name));
  else reader_.emplace();
  return at;
}

// Behind a call: what divides it from the next, or ends it. False: that has not come.
bool ToolCallStream::skip_between() {
  while (true) {
    held_.erase(0, std::min(held_.find_first_not_of(kSpaces), held_.size()));
    const std::string_view all(held_);
    if (all.empty()) return false;
    if (format_ == ToolFormat::hermes) {
      if (all.size() < kClose.size() && kClose.starts_with(all)) return false;
      if (all.starts_with(kClose)) held_.erase(0, kClose.size());
      between_ = false;
      return true;
    }
    const char divides = format_ == ToolFormat::llama3 ? ';' : list_ ? ',' : '\0';
    if (divides != '\0' && all.front() == divides) {
      held_.erase(0, 1);
      continue;
    }
    const bool more = divides != '\0' && all.front() == '{';
    if (list_ && all.front() == ']') held_.erase(0, 1);
    between_ = more;
    return true;
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
  if (open_) {  // cut off: what came of it has been given
    reader_.reset();
    open_ = false;
    held_.clear();
    return out;
  }
  if (between_ && (trimmed(held_).empty() || kClose.starts_with(held_))) held_.clear();
  std::vector<ToolCall> calls;
  std::string_view rest(held_);
  if (format_ == ToolFormat::llama3) {
    if (rest.starts_with(kPython)) rest.remove_prefix(kPython.size());
    calls = objects(rest);
  } else if (rest.starts_with(kCalls)) {
    calls = mistral_calls(rest.substr(kCalls.size()));
  } else if (rest.starts_with(kOpen)) {  // the end mark itself may be what ended the answer
    add_call(trimmed(rest.substr(kOpen.size())), calls);
  }
  if (calls.empty()) give_text(out, held_);
  else give_calls(out, std::move(calls));
  held_.clear();
  return out;
}

}  // namespace helio::serve
