#include "text/tokenizer/list_scanner.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "text/tokenizer/merge_table.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr uint64_t every(uint8_t byte) { return 0x0101010101010101ull * byte; }

// The first '"', '\' or control character from `at` on, or `end`: eight bytes at a time. Of each
// mark the lowest is right, and only that is asked.
const char* string_stop(const char* at, const char* end) {
  static_assert(std::endian::native == std::endian::little);
  const auto zeros = [](uint64_t x) { return (x - every(1)) & ~x; };
  for (; end - at >= 8; at += 8) {
    uint64_t x;
    std::memcpy(&x, at, 8);
    const uint64_t marks =
        (zeros(x ^ every('"')) | zeros(x ^ every('\\')) | ((x - every(0x20)) & ~x)) & every(0x80);
    if (marks != 0) return at + std::countr_zero(marks) / 8;
  }
  while (at < end && *at != '"' && *at != '\\' && static_cast<uint8_t>(*at) >= 0x20) ++at;
  return at;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void ListScanner::skip_space() {
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

bool ListScanner::take(char c) {
  skip_space();
  if (at_ == end_ || *at_ != c) return false;
  ++at_;
  return true;
}

bool ListScanner::string(std::string_view& out) {
  if (!take('"')) return false;
  const char* const from = at_;
  at_ = string_stop(at_, end_);
  if (at_ == end_) return false;
  if (*at_ == '\\') return unescape(from, out);
  if (*at_ != '"') return false;
  out = {from, static_cast<size_t>(at_++ - from)};
  return true;
}

bool ListScanner::unescape(const char* from, std::string_view& out) {
  std::string& text = unescaped_.emplace_back(from, at_);
  const auto unit = [&](char32_t& code) {  // the four digits of \uXXXX
    code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int digit = at_ < end_ ? hex_digit(*at_) : -1;
      if (digit < 0) return false;
      code = code * 16 + static_cast<char32_t>(digit);
    }
    return true;
  };
  while (at_ < end_ && *at_ != '"') {
    if (*at_ != '\\' || end_ - at_ < 2) return false;
    const char kind = at_[1];
    at_ += 2;
    if (kind == 'u') {
      char32_t code = 0, low = 0;
      if (!unit(code)) return false;
      if (code >= 0xD800 && code < 0xE000) {
        if (code >= 0xDC00 || end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return false;
        at_ += 2;
        if (!unit(low) || low < 0xDC00 || low >= 0xE000) return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      }
      append_utf8(text, code);
    } else {
      constexpr std::string_view kKinds = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
      const size_t place = kKinds.find(kind);
      if (place == std::string_view::npos) return false;
      text += kMeant[place];
    }
    const char* const next = string_stop(at_, end_);
    text.append(at_, next);
    at_ = next;
  }
  if (at_ == end_) return false;
  ++at_;
  out = text;
  return true;
}

bool ListScanner::skip_string() {
  if (!take('"')) return false;
  while (at_ < end_) {
    at_ = string_stop(at_, end_);
    if (at_ == end_) return false;
    if (*at_ == '"') {
      ++at_;
      return true;
    }
    if (*at_ != '\\' || end_ - at_ < 2) return false;
    at_ += 2;
  }
  return false;
}

bool ListScanner::skip_value() {
  skip_space();
  size_t depth = 0;
  while (at_ < end_) {
    const char c = *at_;
    if (c == '"') {
      if (!skip_string()) return false;
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at_;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return true;
      --depth;
      ++at_;
    } else if (c == ',' && depth == 0) {
      return true;
    } else {
      ++at_;
      continue;
    }
    if (depth == 0) return true;
  }
  return false;
}

// Calls member(key) at the value of each member of an object.
template <class Member>
bool ListScanner::members(Member&& member) {
  if (!take('{')) return false;
  if (take('}')) return true;
  do {
    std::string_view key;
    if (!string(key) || !take(':') || !member(key)) return false;
  } while (take(','));
  return take('}');
}

bool ListScanner::token_id(TokenId& id) {
  skip_space();
  const char* const first = at_;
  int64_t number = 0;
  for (; at_ < end_ && *at_ >= '0' && *at_ <= '9' && number <= kLargestId; ++at_)
    number = number * 10 + (*at_ - '0');
  id = static_cast<TokenId>(number);
  return at_ > first && number <= kLargestId && (*first != '0' || at_ == first + 1);
}

bool ListScanner::vocabulary() {
  return members([&](std::string_view token) {
    TokenId id = 0;
    if (!token_id(id)) return false;
    lists_.tokens.push_back({token, id});
    return true;
  });
}

bool ListScanner::merges() {
  if (!take('[')) return false;
  if (take(']')) return true;
  do {
    MergeEntry entry;
    if (take('[')) {
      if (!string(entry.left) || !take(',') || !string(entry.right) || !take(']')) return false;
    } else {
      std::string_view text;
      if (!string(text)) return false;
      if (text.starts_with("#version")) continue;
      entry = split_merge(text);
      if (!entry.left.data()) return false;
    }
    lists_.merges.push_back(entry);
  } while (take(','));
  return take(']');
}

bool ListScanner::model(std::string& rest) {
  bool has_tokens = false, has_merges = false;
  const auto cut = [&](bool& seen, std::string_view instead, bool (ListScanner::*read)()) {
    if (seen) return false;
    seen = true;
    rest.append(kept_, at_).append(instead);
    if (!(this->*read)()) return false;
    kept_ = at_;
    return true;
  };
  const bool done = members([&](std::string_view key) {
    if (key == "vocab") return cut(has_tokens, "{}", &ListScanner::vocabulary);
    if (key == "merges") return cut(has_merges, "[]", &ListScanner::merges);
    return skip_value();
  });
  return done && has_tokens && has_merges;
}

bool ListScanner::read(std::string& rest) {
  // A line of a list takes about 20 bytes; memory that is not touched costs nothing.
  const size_t lines = std::min(static_cast<size_t>(end_ - begin_) / 16, MergeTable::kMostMerges);
  lists_.tokens.reserve(lines / 4);
  lists_.merges.reserve(lines);
  kept_ = begin_;
  bool seen = false;
  const bool done = members([&](std::string_view key) {
    if (key != "model") return skip_value();
    if (seen) return false;
    seen = true;
    return model(rest);
  });
  if (!done || !seen) return false;
  rest.append(kept_, end_);
  return true;
}

}  // namespace helio::text
