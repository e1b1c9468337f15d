// A template's text as tokens, cut as jinja2's lexer cuts it (whitespace control included).
#pragma once

#include <string>
#include <vector>

#include "text/jinja/source.h"

namespace helio::text::jinja {

enum class TokenKind : uint8_t {
  data,
  variable_begin,
  variable_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  floating,
  op,
  end
};

struct Token {
  TokenKind kind = TokenKind::end;
  size_t at = 0;
  std::string text = {};  // of a string: unescaped; of an operator: itself
  int64_t integer = 0;
  double floating = 0;
};

struct Whitespace {
  bool trim_blocks = true, lstrip_blocks = true;
};

// Errors: ErrorKind::invalid with the place.
std::vector<Token> tokenize(const Source& source, const Whitespace& whitespace);

}  // namespace helio::text::jinja
