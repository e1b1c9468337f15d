#include "data/dedup/repeated_pieces.h"

#include <fmt/format.h>

#include <cstring>

#include "core/error.h"
#include "data/external_sort.h"

namespace helio::data {
namespace {

struct Head {
  uint64_t order = 0, pieces = 0;
};

struct Piece {
  Hash128 key;
  uint64_t order = 0, number = 0;
  auto operator<=>(const Piece&) const = default;
};

}  // namespace

void RepeatedPieces::survey(const Document& document, const std::vector<Hash128>& keys,
                            std::string& out) {
  if (keys.empty()) return;
  put_record(out, Head{document.order, keys.size()});
  out.append(reinterpret_cast<const char*>(keys.data()), keys.size() * sizeof(Hash128));
}

void RepeatedPieces::settle(Survey& survey, StageContext& context) {
  const uint64_t taken = survey.documents() * 8 + survey.bytes() / sizeof(Hash128) / 8;
  if (taken > context.memory)
    throw Error(
        ErrorKind::memory,
        fmt::format("what repeats in {} documents takes {} MB, more than the {} MB a stage has",
                    survey.documents(), taken >> 20, context.memory >> 20))
        .with_hint("give more with --memory");
  ExternalSorter<Piece> sorter({.scratch = context.scratch,
                                .memory = std::max(context.memory - taken, context.memory / 4),
                                .threads = context.threads});
  first_piece_.assign(survey.documents(), 0);
  uint64_t number = 0;
  survey.rewind();
  for (std::string_view bytes; survey.next(bytes);) {
    const auto take = [&](auto& to) {
      HELIO_CHECK(sizeof to <= bytes.size(), "a survey record is cut short");
      std::memcpy(&to, bytes.data(), sizeof to);
      bytes.remove_prefix(sizeof to);
    };
    while (!bytes.empty()) {
      context.stop.check();
      Head head;
      take(head);
      first_piece_[head.order] = number;
      for (uint64_t i = 0; i < head.pieces; ++i) {
        Piece piece = {.key = {}, .order = head.order, .number = number++};
        take(piece.key);
        sorter.push(piece);
      }
    }
  }
  goes_.assign(number, false);
  bool any = false;
  Piece first;
  for (Piece piece; sorter.next(piece);) {
    if (!any || piece.key != first.key) {
      first = piece;
      any = true;
    } else if (repeats_ == Repeats::of_all || piece.order != first.order) {
      goes_[piece.number] = true;
    }
  }
}

}  // namespace helio::data
