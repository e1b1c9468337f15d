#include "nn/processor.h"

#include <cstdlib>
#include <string_view>

namespace helio::nn {

const Processor& processor() {
  static const Processor found = [] {
    Processor has;
#if defined(__x86_64__)
    __builtin_cpu_init();
    has.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    has.f16c = __builtin_cpu_supports("f16c");
    has.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
    has.avx512_bytes = has.avx512 && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
#endif
    return has;
  }();
  return found;
}

KernelSet chosen_kernels(const KernelSupport& can) {
  const char* setting = std::getenv("HELIO_KERNELS");
  const std::string_view wanted = setting ? setting : "";
  if (wanted == "none") return KernelSet::none;
  if (can.avx512 && wanted != "avx2") return KernelSet::avx512;
  return can.avx2 ? KernelSet::avx2 : KernelSet::none;
}

}  // namespace helio::nn
