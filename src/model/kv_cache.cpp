#include "model/kv_cache.h"

#include <ATen/ops/empty.h>

#include <string>

#include "core/error.h"
#include "nn/torch_error.h"

namespace helio::model {

KvCache::KvCache(const checkpoint::DecoderConfig& config, int64_t rows, int64_t capacity,
                 at::ScalarType dtype)
    : rows_(rows), capacity_(capacity) {
  nn::with_torch_errors(
      [&] { return "making room for " + std::to_string(capacity) + " cached tokens"; },
      [&] {
        ids_ = at::empty({rows, capacity}, at::TensorOptions(at::kLong));
        for (int64_t i = 0; i < config.layers; ++i) {
          for (auto* list : {&keys_, &values_}) {
            list->push_back(at::empty({rows, config.kv_heads, capacity, config.head_dim},
                                      at::TensorOptions(dtype)));
          }
        }
      });
}

KvCache::View KvCache::append(int64_t layer, const at::Tensor& keys_BKtD,
                              const at::Tensor& values_BKtD) {
  const int64_t end = length_ + keys_BKtD.size(2);
  HELIO_CHECK(end <= capacity_, "the cache is full");
  const size_t index = static_cast<size_t>(layer);
  keys_[index].slice(2, length_, end).copy_(keys_BKtD);
  values_[index].slice(2, length_, end).copy_(values_BKtD);
  return {keys_[index].slice(2, 0, end), values_[index].slice(2, 0, end)};
}

void KvCache::advance(const at::Tensor& ids_Bt) {
  const int64_t end = length_ + ids_Bt.size(1);
  ids_.slice(1, length_, end).copy_(ids_Bt);
  length_ = end;
}

}  // namespace helio::model
