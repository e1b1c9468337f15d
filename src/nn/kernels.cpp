#include "nn/kernels.h"

#include <cstdlib>
#include <string_view>

namespace helio::nn {
namespace {

struct Processor {
  bool avx512 = false, avx2 = false;
};

Processor processor() {
  Processor found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  found.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
  found.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return found;
}

}  // namespace

const Kernels* kernels() {
  static const Processor has = processor();
  const char* setting = std::getenv("HELIO_KERNELS");
  const std::string_view wanted = setting ? setting : "";
  if (wanted == "none") return nullptr;
  if (has.avx512 && wanted != "avx2") return &avx512_kernels();
  return has.avx2 ? &avx2_kernels() : nullptr;
}

}  // namespace helio::nn
