#include "text/tokenizer/piece_cuts.h"

#include <utility>

namespace helio::text {
namespace {

std::string mirrored(std::string_view text) { return {text.rbegin(), text.rend()}; }

}  // namespace

PieceCuts::PieceCuts(const std::vector<std::string_view>& pieces) {
  std::vector<std::pair<std::string_view, int32_t>> forward, backward;
  mirrored_.reserve(pieces.size());
  for (const auto piece : pieces) {
    forward.emplace_back(piece, 0);
    backward.emplace_back(mirrored_.emplace_back(mirrored(piece)), 0);
  }
  forward_ = FlatTrie(std::move(forward));
  backward_ = FlatTrie(std::move(backward));
}

void PieceCuts::mark(std::string_view piece, std::vector<bool>& begins,
                     std::vector<bool>& ends) const {
  begins.assign(piece.size(), false);
  ends.assign(piece.size(), false);
  forward_.prefixes(piece, [&](size_t size, int32_t) {
    if (size < piece.size()) begins[size] = true;
  });
  backward_.prefixes(mirrored(piece), [&](size_t size, int32_t) {
    if (size < piece.size()) ends[piece.size() - size] = true;
  });
}

}  // namespace helio::text
