#include "nn/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <string_view>

namespace helio::nn {

#if defined(__x86_64__)
namespace {
// GCC 12's __builtin_cpu_supports does not know the name.
bool has_amx_bf16() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kTiles = 1U << 24, kBf16 = 1U << 22;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 &&
         (edx & (kTiles | kBf16)) == (kTiles | kBf16);
}
}  // namespace
#endif

const Processor& processor() {
  static const Processor found = [] {
    Processor has;
#if defined(__x86_64__)
    __builtin_cpu_init();
    has.amd = __builtin_cpu_is("amd");
    has.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    has.f16c = __builtin_cpu_supports("f16c");
    has.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
    has.avx512_bytes = has.avx512 && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    has.avx512_bf16 = has.avx512_bytes && __builtin_cpu_supports("avx512bf16");
    has.amx_bf16 = has_amx_bf16();
#endif
    return has;
  }();
  return found;
}

namespace {
std::string_view wanted_kernels() {
  const char* setting = std::getenv("HELIO_KERNELS");
  return setting ? setting : "";
}
}  // namespace

KernelSet chosen_kernels(const KernelSupport& can) {
  const std::string_view wanted = wanted_kernels();
  if (wanted == "none") return KernelSet::none;
  if (can.avx512 && wanted != "avx2") return KernelSet::avx512;
  return can.avx2 ? KernelSet::avx2 : KernelSet::none;
}

bool chosen_bf16_products() { return processor().avx512_bf16 && wanted_kernels() != "avx512"; }

}  // namespace helio::nn
