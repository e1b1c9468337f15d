// Text that was read in the wrong encoding, read again in the right one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace helio::data {

struct Repaired {
  std::string text = {};
  int64_t runs = 0;  // places that were changed; 0 leaves the text as it was
};

// UTF-8 that was read as Windows-1252 or Latin-1 ("í•œêµ­", "donâ€™t"), up to three times over.
// Each run of characters that such a misreading yields is read again by itself, and only when all
// of it is valid UTF-8 for characters that texts are made of.
Repaired repair_utf8_mojibake(std::string_view text);

// CP949 that was read as Latin-1 or Windows-1252 ("ÇÑ±¹¾î"), line by line, and only when what comes
// out is mostly common syllables: capitals with accents in a row are valid CP949 too.
Repaired repair_cp949_mojibake(std::string_view text);

}  // namespace helio::data
