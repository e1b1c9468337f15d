// Arrow data from anywhere: rows or an Error, nothing else.
#include <cstdint>

#include "core/error.h"
#include "text/arrow_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    helio::text::read_arrow({reinterpret_cast<const char*>(data), size}, "fuzz",
                            [](helio::Json) {});
  } catch (const helio::Error&) {}
  return 0;
}
