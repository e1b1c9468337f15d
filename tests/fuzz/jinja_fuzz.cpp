// Hostile templates.
#include "jinja_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  helio::text::fuzz::try_template({reinterpret_cast<const char*>(data), size});
  return 0;
}
