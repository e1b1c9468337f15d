// Any bytes as a merge plan.
#include "checkpoint_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  helio::checkpoint::fuzz::try_merge_plan({reinterpret_cast<const char*>(data), size});
  return 0;
}
