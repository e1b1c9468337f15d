// Hostile tekken.json files.
#include "tokenizer_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!bytes.starts_with("{")) return -1;
  helio::text::fuzz::try_format(bytes);
  return 0;
}
