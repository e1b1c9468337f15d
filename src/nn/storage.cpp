#include "nn/storage.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include "core/error.h"

namespace helio::nn {

void release_storage(const at::Tensor& tensor) {
  HELIO_CHECK(tensor.is_contiguous() && tensor.storage_offset() == 0, "a tensor of its own memory");
  c10::StorageImpl& storage = *tensor.storage().unsafeGetStorageImpl();
  storage.set_data_ptr_noswap(c10::DataPtr(nullptr, tensor.device()));
  storage.set_nbytes(0);
}

void make_storage(const at::Tensor& tensor) {
  c10::StorageImpl& storage = *tensor.storage().unsafeGetStorageImpl();
  if (storage.nbytes() != 0 || tensor.nbytes() == 0) return;
  storage.set_data_ptr_noswap(c10::GetCPUAllocator()->allocate(tensor.nbytes()));
  storage.set_nbytes(tensor.nbytes());
}

}  // namespace helio::nn
