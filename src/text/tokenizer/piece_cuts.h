// The ways to cut pieces of a vocabulary in two other pieces: what merges are made from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/flat_trie.h"

namespace helio::text {

class PieceCuts {
 public:
  // The pieces that may stand on either side; they must outlive this object.
  explicit PieceCuts(const std::vector<std::string_view>& pieces);

  // Marks in `begins` each end (in bytes) of a piece that `piece` begins with, and in `ends` each
  // beginning of one that it ends with; both get piece.size() entries. One walk each, whatever
  // the pieces.
  void mark(std::string_view piece, std::vector<bool>& begins, std::vector<bool>& ends) const;

 private:
  std::vector<std::string> mirrored_ = {};
  FlatTrie forward_ = {}, backward_ = {};
};

}  // namespace helio::text
