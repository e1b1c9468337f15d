// Seeded damage to a text, for tests that replay what the fuzz targets run.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "core/rng.h"

namespace helio {

struct MutateOptions {
  size_t begin = 0;           // bytes before this stay as they are
  uint64_t most_changes = 4;  // one to this many
  uint64_t longest_span = 24;
};

// Bytes changed, spans cut, doubled or replaced, and pieces of the format's own words put in.
inline std::string mutate(std::string text, std::span<const std::string_view> pieces, Rng& rng,
                          const MutateOptions& options = {}) {
  for (uint64_t times = 1 + rng.below(options.most_changes);
       times > 0 && text.size() > options.begin; --times) {
    const size_t at = options.begin + rng.below(text.size() - options.begin);
    const size_t span = std::min<size_t>(1 + rng.below(options.longest_span), text.size() - at);
    const auto piece = pieces[rng.below(pieces.size())];
    switch (rng.below(6)) {
      case 0:
        text[at] = static_cast<char>(rng.below(256));
        break;
      case 1:
        text[at] = static_cast<char>(32 + rng.below(95));
        break;
      case 2:
        text.erase(at, span);
        break;
      case 3:
        text.insert(at, piece);
        break;
      case 4:
        text.replace(at, span, piece);
        break;
      case 5:
        text.insert(at, text.substr(at, span));
        break;
    }
  }
  return text;
}

}  // namespace helio
