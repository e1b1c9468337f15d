// Encoding with the places of the tokens in the text, as HF's Encoding.offsets has them.
#include <algorithm>
#include <limits>
#include <utility>

#include "text/tokenizer/json_tokenizer.h"
#include "text/tokenizer/tokenizer_parts.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

// From bytes of a text to characters and back.
class Places {
 public:
  explicit Places(std::string_view text) : characters_(text.size()) {
    for (size_t at = 0; at < text.size();) {
      const auto size = decode_utf8(text, at).size;
      std::fill_n(characters_.begin() + static_cast<std::ptrdiff_t>(at), size,
                  static_cast<uint32_t>(bytes_.size()));
      bytes_.push_back(static_cast<uint32_t>(at));
      at += size;
    }
    bytes_.push_back(static_cast<uint32_t>(text.size()));
  }

  Offset characters(size_t begin, size_t end) const {
    const size_t size = characters_.size();
    const auto at = [&](size_t byte) { return static_cast<int64_t>(characters_[byte]); };
    if (begin < size && end < size) return {at(begin), at(end)};
    if (begin < size && end >= 1)
      return {at(begin), (end - 1 < size ? at(end - 1) : at(begin) + 1) + 1};
    return {static_cast<int64_t>(begin), static_cast<int64_t>(end)};  // HF leaves these as bytes
  }
  Offset bytes(Offset characters) const {
    const auto at = [&](int64_t place) {
      const auto last = static_cast<int64_t>(bytes_.size()) - 1;
      return static_cast<int64_t>(bytes_[static_cast<size_t>(std::clamp<int64_t>(place, 0, last))]);
    };
    return {at(characters.begin), at(characters.end)};
  }

 private:
  std::vector<uint32_t> characters_ = {};  // by byte
  std::vector<uint32_t> bytes_ = {};       // by character, and the end
};

}  // namespace

struct JsonTokenizer::Placed {
  std::vector<TokenId> ids = {};
  std::vector<std::pair<size_t, size_t>> bytes = {};
  std::vector<TokenSpaces> spaces = {};  // only when the post-processor trims
  std::vector<TokenSpan> spans = {};     // of the piece at hand
};

void JsonTokenizer::place_token(const AlignedText& text, TokenId id, Placed& out) const {
  const auto source = text.source(0, text.text().size());
  out.ids.push_back(id);
  out.bytes.emplace_back(source.begin, source.end);
  if (post_processor_.trims()) out.spaces.push_back(spaces_of(text.text()));
}

void JsonTokenizer::place_between(AlignedText text, Scratch& scratch, Placed& out) const {
  std::vector<AlignedText> pieces;
  pieces.push_back(std::move(text));
  pre_tokenizer_.steps->split(pieces);
  for (const auto& piece : pieces) {
    const std::string& written = piece.text();
    if (written.empty()) continue;
    out.spans.clear();
    model_->encode_spans(written, *scratch.model, out.spans);
    for (const auto& span : out.spans) {
      out.ids.push_back(span.id);
      if (span.begin < span.end && span.end <= written.size()) {
        const auto source = piece.source(span.begin, span.end);
        out.bytes.emplace_back(source.begin, source.end);
      } else if (span.begin == span.end) {
        out.bytes.emplace_back(piece.shift() + span.begin, piece.shift() + span.end);
      } else {
        out.bytes.emplace_back(span.begin, span.end);  // as HF has them
      }
      if (!post_processor_.trims()) continue;
      const auto token =
          span.value == TokenSpan::Value::of_vocabulary ? model_->token(span.id) : std::nullopt;
      out.spaces.push_back(spaces_of(
          token ? *token : std::string_view(written).substr(span.begin, span.end - span.begin)));
    }
  }
}

void JsonTokenizer::place_text(std::string_view text, Scratch& scratch, Placed& out) const {
  const AlignedText whole(text, AlignedText::Track::yes);
  scratch.outer.clear();
  as_written_.find(text, scratch.outer);
  for (const auto& segment : scratch.outer) {
    AlignedText part = whole.slice(segment.begin, segment.end);
    if (segment.token >= 0) {
      place_token(part, as_written_ids_[static_cast<size_t>(segment.token)], out);
      continue;
    }
    normalizer_.apply(part);
    scratch.inner.clear();
    normalized_.find(part.text(), scratch.inner);
    for (const auto& inside : scratch.inner) {
      AlignedText slice = part.slice(inside.begin, inside.end);
      if (inside.token >= 0)
        place_token(slice, normalized_ids_[static_cast<size_t>(inside.token)], out);
      else place_between(std::move(slice), scratch, out);
    }
  }
}

Encoding JsonTokenizer::encode_with_offsets(std::string_view given, SpecialTokens special) const {
  if (given.size() / 3 >= std::numeric_limits<uint32_t>::max() / 9)
    throw Error(ErrorKind::invalid,
                "a text of " + std::to_string(given.size()) + " bytes is too long for offsets")
        .with_hint("cut it into parts, or encode it without offsets");
  const std::string repaired = is_valid_utf8(given) ? "" : repair_utf8(given);
  const std::string_view text = repaired.empty() ? given : std::string_view(repaired);
  Placed placed;
  {
    const auto lease = this->lease();
    place_text(text, *lease, placed);
  }
  const Places places(text);
  Encoding out;
  out.ids = std::move(placed.ids);
  out.characters.reserve(out.ids.size());
  for (const auto& [begin, end] : placed.bytes)
    out.characters.push_back(places.characters(begin, end));
  if (post_processor_.trims()) post_processor_.trim(out.characters, placed.spaces);
  out.bytes.reserve(out.ids.size());
  for (const auto& offset : out.characters) out.bytes.push_back(places.bytes(offset));
  if (special == SpecialTokens::skip) return out;
  auto ids = out.ids;
  post_processor_.wrap(ids, &out.bytes);
  post_processor_.wrap(out.ids, &out.characters);
  return out;
}

}  // namespace helio::text
