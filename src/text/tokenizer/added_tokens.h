// Tokens beside the model's own vocabulary that are looked for in the text as they are written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace helio::text {

// A part of a text: an added token, or text between them (token < 0).
struct Segment {
  int32_t token = -1;  // index of the pattern
  size_t begin = 0, end = 0;
};

struct TokenPattern {
  std::string content = {};
  bool lstrip = false, rstrip = false, single_word = false;
};

// Finds the leftmost, then longest patterns, as HF tokenizers does with all their options.
class TokenFinder {
 public:
  TokenFinder() = default;
  explicit TokenFinder(std::vector<TokenPattern> patterns);

  bool empty() const { return patterns_.empty(); }
  // Cuts `text` into segments, appended to `segments`; none is empty.
  void find(std::string_view text, std::vector<Segment>& segments) const;

 private:
  struct Node {
    int32_t pattern = -1;
    std::vector<std::pair<uint8_t, uint32_t>> children = {};  // by byte
  };
  struct Hit {
    int32_t pattern = -1;
    size_t begin = 0, end = 0;
  };
  Hit next(std::string_view text, size_t from) const;
  size_t candidate(std::string_view text, size_t from) const;

  std::vector<TokenPattern> patterns_ = {};
  std::vector<Node> nodes_ = {};
  std::vector<uint8_t> begins_ = {};  // 256 flags: bytes that begin a pattern
  int only_begin_ = -1;               // the byte, when there is only one
};

}  // namespace helio::text
