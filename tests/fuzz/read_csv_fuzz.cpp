#include "read_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return helio::data::fuzz_read("x.csv", "csv", data, size);
}
