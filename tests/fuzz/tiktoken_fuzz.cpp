// Hostile files of tiktoken ranks.
#include "tokenizer_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.starts_with("{") || bytes.starts_with("\n")) return -1;
  helio::text::fuzz::try_format(bytes, "llama3");
  return 0;
}
