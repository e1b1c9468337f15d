// KoBEST COPA: sets `connector`, "because" or "so", by what is asked for.
#include "core/error.h"
#include "eval/prepare.h"
#include "text/unicode.h"

namespace helio::eval {
namespace {

void kobest_copa(Json& document) {
  const auto asked = text::trim(text_field(document, "question"));
  if (asked == "원인") document["connector"] = " 왜냐하면";
  else if (asked == "결과") document["connector"] = " 그래서";
  else
    throw Error(ErrorKind::invalid,
                "a KoBEST COPA question is '" + std::string(asked) + "', neither 원인 nor 결과");
}

}  // namespace
}  // namespace helio::eval
HELIO_PREPARE(kobest_copa)
