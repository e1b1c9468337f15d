// Winogrande: the sentence up to its gap with each option put in, and what follows the gap.
// Sets `contexts`, `rest` and `gold` (from 0).
#include "core/error.h"
#include "eval/prepare.h"
#include "text/unicode.h"

namespace helio::eval {
namespace {

void winogrande(Json& document) {
  const std::string sentence = text_field(document, "sentence");
  const size_t gap = sentence.find('_');
  if (gap == std::string::npos)
    throw Error(ErrorKind::invalid, "a Winogrande sentence has no '_': " + sentence);
  const std::string before = sentence.substr(0, gap), answer = text_field(document, "answer");
  if (answer != "1" && answer != "2")
    throw Error(ErrorKind::invalid, "a Winogrande answer is '" + answer + "', not 1 or 2")
        .with_hint("the test split has no answers");
  document["contexts"] = {before + text_field(document, "option1"),
                          before + text_field(document, "option2")};
  document["rest"] = std::string(text::trim(std::string_view(sentence).substr(gap + 1)));
  document["gold"] = answer == "1" ? 0 : 1;
}

}  // namespace
}  // namespace helio::eval
HELIO_PREPARE(winogrande)
