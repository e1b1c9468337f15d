// Any bytes as a GGUF file.
#include "gguf_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  helio::fuzz::try_gguf({reinterpret_cast<const char*>(data), size});
  return 0;
}
