// Hostile results of lm-evaluation-harness.
#include "eval_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  helio::eval::fuzz::try_import({reinterpret_cast<const char*>(data), size});
  return 0;
}
