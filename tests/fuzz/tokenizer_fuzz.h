// What the tokenizer's fuzz target runs, shared with the unit test that replays mutations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "text/formats/tokenizer_file.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace helio::text::fuzz {

enum class Outcome { accepted, refused };

// Makes a tokenizer and, when it is accepted, encodes and decodes with it. Only Error{invalid} may
// come out; ids must be the tokenizer's.
template <class Make>
Outcome try_made(Make&& make) {
  static const std::vector<std::string> texts = {
      "",
      "Hello, world! It's 2023.",
      "한국어 토크나이저 시험\r\n\t ㅋㅋㅋ  끝",
      "<|endoftext|> a<|user|>  b <s>",
      "\xFF\xC0 e\xCC\x81 \xF0\x9F\x91\x8D",
      std::string(300, 'a') + std::string(300, ' ') + "\n\n1234567"};
  try {
    const std::unique_ptr<Tokenizer> tokenizer = make();
    for (const auto& text : texts) {
      const auto ids = tokenizer->encode(text);
      for (const TokenId id : ids) {
        HELIO_CHECK(id >= 0 && id < tokenizer->vocab_size(), "an id beyond the vocabulary");
        tokenizer->token_bytes(id);
      }
      HELIO_CHECK(is_valid_utf8(tokenizer->decode(ids)), "decoded text is no UTF-8");
      HELIO_CHECK(tokenizer->encode(text) == ids, "encoding twice gave other ids");
      const auto placed = tokenizer->encode_with_offsets(text);
      HELIO_CHECK(placed.ids == ids, "with offsets the ids are others");
      HELIO_CHECK(placed.characters.size() == ids.size() && placed.bytes.size() == ids.size(),
                  "not every token has its place");
    }
    tokenizer->decode({-1, 0, 1, 255, 1 << 30});
    return Outcome::accepted;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) throw;
    return Outcome::refused;
  }
}

inline Outcome try_tokenizer(std::string_view json) {
  return try_made([&] { return parse_tokenizer(json, "fuzz"); });
}

// A file of another format; tiktoken's with an encoding.
inline Outcome try_format(std::string_view bytes, const std::string& encoding = "") {
  return try_made([&] {
    return make_tokenizer(parse_tokenizer_file(bytes, "fuzz", {.encoding = encoding}).document);
  });
}

}  // namespace helio::text::fuzz
