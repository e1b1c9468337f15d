// The pieces of texts that a tokenizer's model would see: what a tokenizer is trained on.
#include "text/tokenizer/json_tokenizer.h"
#include "text/utf8.h"

namespace helio::text {

void JsonTokenizer::for_each_piece(std::string_view text, const VisitPiece& visit) const {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = repair_utf8(text);
  const Lease scratch = lease();
  if (pre_tokenizer_.needs_sources) return for_each_placed_piece(text, *scratch, visit);
  auto& buffers = scratch->pieces;
  const auto between = [&](std::string_view part) {
    buffers.pieces.assign(1, part);
    buffers.made.clear();
    buffers.text_begin = text.data();
    pre_tokenizer_.steps->split(buffers);
    for (const auto piece : buffers.pieces)
      if (!piece.empty()) visit(piece);
  };
  scratch->outer.clear();
  as_written_.find(text, scratch->outer);
  for (const auto& segment : scratch->outer) {
    if (segment.token >= 0) continue;
    std::string_view part = text.substr(segment.begin, segment.end - segment.begin);
    std::string made;
    if (!normalizer_.does_nothing()) part = made = normalizer_.apply(part);
    scratch->inner.clear();
    normalized_.find(part, scratch->inner);
    for (const auto& inside : scratch->inner)
      if (inside.token < 0) between(part.substr(inside.begin, inside.end - inside.begin));
  }
}

void JsonTokenizer::for_each_placed_piece(std::string_view text, Scratch& scratch,
                                          const VisitPiece& visit) const {
  const AlignedText whole(text, AlignedText::Track::yes);
  scratch.outer.clear();
  as_written_.find(text, scratch.outer);
  for (const auto& segment : scratch.outer) {
    if (segment.token >= 0) continue;
    AlignedText part = whole.slice(segment.begin, segment.end);
    normalizer_.apply(part);
    scratch.inner.clear();
    normalized_.find(part.text(), scratch.inner);
    for (const auto& inside : scratch.inner) {
      if (inside.token >= 0) continue;
      std::vector<AlignedText> pieces;
      pieces.push_back(part.slice(inside.begin, inside.end));
      pre_tokenizer_.steps->split(pieces);
      for (const auto& piece : pieces)
        if (!piece.text().empty()) visit(piece.text());
    }
  }
}

}  // namespace helio::text
