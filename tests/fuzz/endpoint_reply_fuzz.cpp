// Hostile replies of an endpoint.
#include "eval_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  helio::eval::fuzz::try_reply({reinterpret_cast<const char*>(data), size});
  return 0;
}
