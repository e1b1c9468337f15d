#include "text/text_stream.h"

#include <algorithm>

#include "text/utf8.h"

namespace helio::text {
namespace {

// Bytes at the end of `text` that may begin a character whose rest has not come yet.
size_t unfinished_character(std::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte < 0xC0) continue;  // inside a character: look for its first byte
    const CodePoint point = decode_utf8(text, text.size() - back);
    return point.status == Utf8::invalid && point.size == back ? back : 0;
  }
  return 0;
}

// Length of the longest end of `text` that is a proper beginning of `stop`.
size_t unfinished_stop(std::string_view text, std::string_view stop) {
  for (size_t size = std::min(text.size(), stop.size() - 1); size > 0; --size)
    if (text.substr(text.size() - size) == stop.substr(0, size)) return size;
  return 0;
}

}  // namespace

TextStream::TextStream(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::erase(stops_, "");
}

std::string TextStream::push(std::string_view bytes) {
  if (stopped_) return "";
  held_ += bytes;
  size_t stop_at = std::string::npos, keep = unfinished_character(held_);
  for (const std::string& stop : stops_) {
    stop_at = std::min(stop_at, held_.find(stop));
    keep = std::max(keep, unfinished_stop(held_, stop));
  }
  stopped_ = stop_at != std::string::npos;
  const std::string ready = held_.substr(0, stopped_ ? stop_at : held_.size() - keep);
  held_.erase(0, stopped_ ? held_.size() : ready.size());
  return repair_utf8(ready);
}

std::string TextStream::finish() {
  std::string rest;
  rest.swap(held_);
  return repair_utf8(rest);
}

}  // namespace helio::text
