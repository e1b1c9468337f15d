// Grammars as text, in the notation of llama.cpp (GBNF):
//
//   root ::= "yes" | "no" reason?          # the text must be one of these
//   reason ::= ", " [a-zA-Z가-힣 ]{1,40} "."
//
// "literal" with \n \r \t \\ \" \xHH \uHHHH \UHHHHHHHH, classes of characters [a-z] [^"\\], any
// character ., groups ( ), alternatives |, and ? * + {n} {n,} {n,m} {,m} behind what they repeat. A
// rule ends with its line, but for lines inside ( ) and ones that begin with |.
#pragma once

#include <string>
#include <string_view>

#include "text/grammar/grammar.h"

namespace helio::text {

// `source` names the text in errors: Error{invalid} "source:line:column: ...".
Grammar parse_gbnf(std::string_view text, const std::string& source, GrammarLimits limits = {});

}  // namespace helio::text
