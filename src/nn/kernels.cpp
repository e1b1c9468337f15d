#include "nn/kernels.h"

#include "nn/processor.h"

namespace helio::nn {

const Kernels* kernels() {
  switch (chosen_kernels({.avx2 = processor().avx2, .avx512 = processor().avx512})) {
    case KernelSet::avx512:
      return &avx512_kernels();
    case KernelSet::avx2:
      return &avx2_kernels();
    case KernelSet::none:
      break;
  }
  return nullptr;
}

}  // namespace helio::nn
