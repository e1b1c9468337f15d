#include "text/tokenizer/added_tokens.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "text/tokenizer/character_classes.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

// Start of the last character before `end`; `text` is valid UTF-8.
size_t before(std::string_view text, size_t end) {
  do --end;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80);
  return end;
}

size_t skip_spaces_left(std::string_view text, size_t at) {
  while (at > 0) {
    const size_t start = before(text, at);
    if (!is_white_space(decode_utf8(text, start).value)) break;
    at = start;
  }
  return at;
}

size_t skip_spaces_right(std::string_view text, size_t at) {
  while (at < text.size()) {
    const auto point = decode_utf8(text, at);
    if (!is_white_space(point.value)) break;
    at += point.size;
  }
  return at;
}

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_word_character(decode_utf8(text, before(text, begin)).value)) return false;
  return end == text.size() || !is_word_character(decode_utf8(text, end).value);
}

}  // namespace

TokenFinder::TokenFinder(std::vector<TokenPattern> patterns) : patterns_(std::move(patterns)) {
  nodes_.emplace_back();
  begins_.assign(256, 0);
  for (size_t i = 0; i < patterns_.size(); ++i) {
    uint32_t node = 0;
    for (const char c : patterns_[i].content) {
      const auto byte = static_cast<uint8_t>(c);
      auto& children = nodes_[node].children;
      auto place = std::lower_bound(children.begin(), children.end(), std::pair{byte, 0u});
      if (place == children.end() || place->first != byte) {
        place = children.insert(place, {byte, static_cast<uint32_t>(nodes_.size())});
        node = place->second;
        nodes_.emplace_back();
      } else {
        node = place->second;
      }
    }
    if (node == 0) continue;  // an empty pattern matches nothing
    nodes_[node].pattern = static_cast<int32_t>(i);
    begins_[static_cast<uint8_t>(patterns_[i].content[0])] = 1;
  }
  if (std::count(begins_.begin(), begins_.end(), 1) == 1)
    only_begin_ = static_cast<int>(std::find(begins_.begin(), begins_.end(), 1) - begins_.begin());
}

size_t TokenFinder::candidate(std::string_view text, size_t from) const {
  if (only_begin_ >= 0) {
    const void* found = from < text.size()
                            ? std::memchr(text.data() + from, only_begin_, text.size() - from)
                            : nullptr;
    return found ? static_cast<size_t>(static_cast<const char*>(found) - text.data()) : text.size();
  }
  while (from < text.size() && !begins_[static_cast<uint8_t>(text[from])]) ++from;
  return from;
}

TokenFinder::Hit TokenFinder::next(std::string_view text, size_t from) const {
  for (size_t at = candidate(text, from); at < text.size(); at = candidate(text, at + 1)) {
    Hit hit;
    uint32_t node = 0;
    for (size_t i = at; i < text.size(); ++i) {
      const auto& children = nodes_[node].children;
      const auto byte = static_cast<uint8_t>(text[i]);
      const auto place = std::lower_bound(children.begin(), children.end(), std::pair{byte, 0u});
      if (place == children.end() || place->first != byte) break;
      node = place->second;
      if (nodes_[node].pattern >= 0) hit = {nodes_[node].pattern, at, i + 1};
    }
    if (hit.pattern >= 0) return hit;
  }
  return {};
}

void TokenFinder::find(std::string_view text, std::vector<Segment>& segments) const {
  size_t done = 0, from = 0;
  while (!patterns_.empty()) {
    const Hit hit = next(text, from);
    if (hit.pattern < 0) break;
    from = hit.end;
    const auto& pattern = patterns_[static_cast<size_t>(hit.pattern)];
    if (pattern.single_word && !stands_alone(text, hit.begin, hit.end)) continue;
    size_t begin = hit.begin, end = hit.end;
    if (pattern.lstrip) begin = std::max(skip_spaces_left(text, begin), done);
    if (pattern.rstrip) end = skip_spaces_right(text, end);
    if (done < begin) segments.push_back({-1, done, begin});
    // A token whose spaces an earlier one has stripped is gone; HF panics where it lies inside
    // them.
    if (begin < end) segments.push_back({hit.pattern, begin, end});
    done = end;
  }
  if (done < text.size()) segments.push_back({-1, done, text.size()});
}

}  // namespace helio::text
