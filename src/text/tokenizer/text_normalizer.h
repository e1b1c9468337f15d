// The "normalizer" of a tokenizer.json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/unicode.h"

namespace helio::text {

class TextNormalizer {
 public:
  // NFC, NFD, NFKC, NFKD, a Sequence of them, or null. Anything else is Error{invalid}.
  explicit TextNormalizer(const Json& json);
  bool does_nothing() const { return forms_.empty(); }
  std::string apply(std::string_view text) const;

 private:
  void read(const Json& json);
  std::vector<NormalForm> forms_ = {};
};

}  // namespace helio::text
