#include "text/words.h"

#include <cstddef>

namespace helio::text {

bool is_space(uint32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

int64_t count_words(std::string_view text) {
  int64_t words = 0;
  bool inside = false;
  const auto byte = [&](size_t i) -> uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  for (size_t i = 0; i < text.size();) {
    const uint32_t first = byte(i);
    uint32_t code_point = first;
    size_t size = 1;
    // White space beyond ASCII has two or three bytes; everything else only has to be stepped over,
    // and stepping over its bytes one at a time finds no white space in them.
    if (first == 0xc2 && (byte(i + 1) & 0xc0) == 0x80) {
      code_point = 0x80 | (byte(i + 1) & 0x3f);
      size = 2;
    } else if ((first & 0xf0) == 0xe0 && (byte(i + 1) & 0xc0) == 0x80 &&
               (byte(i + 2) & 0xc0) == 0x80) {
      code_point = (first & 0x0f) << 12 | (byte(i + 1) & 0x3f) << 6 | (byte(i + 2) & 0x3f);
      size = 3;
    } else if (first >= 0x80) {
      code_point = 0xfffd;
    }
    const bool space = is_space(code_point);
    if (!space && !inside) ++words;
    inside = !space;
    i += size;
  }
  return words;
}

}  // namespace helio::text
