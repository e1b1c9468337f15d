// How tokenizer.json cuts a text into the pieces that BPE merges within.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace helio::text {

// Memory that cutting needs, kept between texts.
struct PieceBuffers {
  std::vector<std::string_view> pieces = {}, next = {};
  std::deque<std::string> made = {};  // pieces that are not part of the text (a space before)
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Replaces `buffers.pieces` (valid UTF-8) by their parts, in order. The parts stay valid as long
  // as the text and `buffers.made`.
  virtual void split(PieceBuffers& buffers) const = 0;
};

// Reads "pre_tokenizer" of a tokenizer.json: ByteLevel, or a Sequence that ends with it and has
// Split and Digits before. Anything else is Error{invalid}.
std::unique_ptr<PreTokenizer> read_pre_tokenizer(const Json& json);

}  // namespace helio::text
