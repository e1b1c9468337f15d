// Hostile tokenizer.json files that are to be extended.
#include "extend_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  helio::text::fuzz::try_extend({reinterpret_cast<const char*>(data), size});
  return 0;
}
