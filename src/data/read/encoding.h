// Text that is not UTF-8: finding out, and converting.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/read/byte_stream.h"

namespace helio::data {

enum class Encoding {
  unknown,  // so far nothing but ASCII
  utf8,
  cp949,  // Microsoft's extension of EUC-KR: reads both
  utf16le,
  utf16be,
};

// From the first bytes of a text (`whole`: all of them): by its mark, else by which encoding the
// bytes are valid in and how common what they would spell is. utf8 when nothing else fits.
Encoding detect_encoding(std::string_view head, bool whole);

// Nothing when the bytes are not valid in that encoding. `unknown` takes UTF-8, else CP949 when the
// bytes spell Hangul in it.
std::optional<std::string> to_utf8(std::string_view bytes, Encoding encoding);

// By the name a page or an HTTP header gives; what cannot be read becomes U+FFFD. Nothing when the
// name is not known, or one in twenty bytes beyond ASCII cannot be read.
std::optional<std::string> to_utf8(std::string_view bytes, const std::string& charset);

// UTF-16 as UTF-8. A half of a surrogate pair becomes a byte that is never valid UTF-8, so that the
// row it stands in is told as a bad one.
Stream utf16_stream(Stream source, Encoding encoding);

// An HTML page as UTF-8, what it claims about its encoding made true. `stated`: by the HTTP header.
// Nothing when no encoding fits; `why` says so.
std::optional<std::string> page_to_utf8(std::string page, const std::string& stated,
                                        std::string& why);

}  // namespace helio::data
