// Hostile JSON schemas and grammars.
#include "grammar_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  helio::text::fuzz::try_grammar({reinterpret_cast<const char*>(data), size});
  return 0;
}
