// What the fuzz target of `tokenizer extend` runs, shared with the unit test that replays
// mutations.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"
#include "text/extend_tokenizer.h"

namespace helio::text::fuzz {

enum class Extended { added, nothing, refused };

// Extends a tokenizer.json by words of a fixed text. Only Error{invalid} may come out.
inline Extended try_extend(std::string_view json) {
  constexpr std::string_view text = "lol ollo 한국어 한국 lo lol 어한 한국어 <s> ollo \xFF 12 12";
  try {
    const TokenizerExtender extender(std::string(json), "fuzz");
    CountedWords words;
    extender.cutter().cut(text, [&](std::string_view word) { words.table.add(word, 2); });
    words.words = static_cast<int64_t>(words.table.size());
    SilentMonitor monitor;
    const auto made = extender.extend(words, {.add = 12}, monitor, StopRequest());
    HELIO_CHECK(made.tokens.size() <= 12, "more tokens than asked for");
    const auto tokenizer = parse_tokenizer(made.json, "extended");
    for (const auto& token : made.tokens) {
      HELIO_CHECK(token.id >= made.base_vocab_size, "a new token has an old id");
      HELIO_CHECK(tokenizer->id_of(token.token) == token.id, "a new token has not its id");
      for (const TokenId piece : token.pieces)
        HELIO_CHECK(piece >= 0 && piece < made.base_vocab_size, "a piece is no old token");
    }
    tokenizer->decode(tokenizer->encode(text));
    return made.tokens.empty() ? Extended::nothing : Extended::added;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) throw;
    return Extended::refused;
  }
}

}  // namespace helio::text::fuzz
