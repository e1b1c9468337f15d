// How tokenizer.json cuts a text into the pieces that the model sees.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/aligned_text.h"
#include "text/tokenizer/split_known.h"

namespace helio::text {

// Memory that cutting needs, kept between texts.
struct PieceBuffers {
  std::vector<std::string_view> pieces = {}, next = {};
  std::deque<std::string> made = {};  // pieces that are not part of the text (a space before)
  const char* text_begin = nullptr;   // where the original text begins, if it is at hand
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Replaces `buffers.pieces` (valid UTF-8) by their parts, in order. The parts stay valid as long
  // as the text and `buffers.made`.
  virtual void split(PieceBuffers& buffers) const = 0;
  // The same with texts that know their sources; slower.
  virtual void split(std::vector<AlignedText>& texts) const = 0;
};

struct ReadPreTokenizer {
  std::unique_ptr<PreTokenizer> steps = {};
  // Whether the pieces depend on where in the original they come from, so that only texts with
  // sources are cut as HF does.
  bool needs_sources = false;
  // What does the same as all steps together, where that was written by hand.
  KnownSplit whole = nullptr;
};

enum class TextBefore { as_written, normalized };
// Whether a ByteLevel at the end writes bytes as letters, or leaves them to a model that reads
// bytes.
enum class LastLetters { write, leave };

// Reads "pre_tokenizer" of a tokenizer.json; what HF does not know is Error{invalid}.
ReadPreTokenizer read_pre_tokenizer(const Json& json, TextBefore before, LastLetters last);
bool ends_with_byte_level(const Json& json);

}  // namespace helio::text
