#include "eval/ifeval/embedded.h"

#include <string_view>

#include "core/zstd.h"

// The assembler puts the files' bytes into the read-only data.
#define HELIO_EMBED(symbol, file)                                                     \
  asm(".section .rodata\n.global " #symbol "\n" #symbol                               \
      ":\n"                                                                           \
      ".incbin \"" HELIO_IFEVAL_DATA "/" file "\"\n.global " #symbol "_end\n" #symbol \
      "_end:\n"                                                                       \
      ".byte 0\n.previous\n");                                                        \
  extern "C" const char symbol[], symbol##_end[]

HELIO_EMBED(helio_langdetect, "langdetect.txt.zst");
HELIO_EMBED(helio_punkt_english, "punkt_english.txt.zst");

namespace helio::eval::ifeval {
namespace {
std::string expand(const char* begin, const char* end, const char* name) {
  return zstd_expand({begin, static_cast<size_t>(end - begin)}, name, uint64_t(64) << 20);
}
}  // namespace

std::string langdetect_text() {
  return expand(helio_langdetect, helio_langdetect_end, "langdetect (built in)");
}
std::string punkt_text() {
  return expand(helio_punkt_english, helio_punkt_english_end, "punkt (built in)");
}

}  // namespace helio::eval::ifeval
