// Pieces of texts (lines, paragraphs) that an earlier one repeats, found by an external sort. What
// is kept for the second pass is 8 bytes a document and a bit a piece.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/hash.h"
#include "data/op.h"

namespace helio::data {

enum class Repeats {
  of_other_documents,  // a piece goes when an earlier document has it
  of_all,              // and when it stands earlier in its own
};

class RepeatedPieces {
 public:
  explicit RepeatedPieces(Repeats repeats) : repeats_(repeats) {}

  // `keys` of the document's pieces in order.
  static void survey(const Document& document, const std::vector<Hash128>& keys, std::string& out);
  void settle(Survey& survey, StageContext& context);
  // Whether piece `index` of those surveyed goes.
  bool goes(const Document& document, size_t index) const {
    return goes_[first_piece_[document.order] + index];
  }

 private:
  Repeats repeats_;
  std::vector<uint64_t> first_piece_ = {};  // of each document, by manifest number
  std::vector<bool> goes_ = {};
};

}  // namespace helio::data
