// Answers with tool calls in them, or what only looks like one.
#include "tool_calls_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  helio::serve::fuzz::try_tool_calls({reinterpret_cast<const char*>(data), size});
  return 0;
}
