#include "model/paged_cache.h"

#include <ATen/ops/empty.h>

#include <string>

#include "nn/torch_error.h"

namespace helio::model {

PagedCache::PagedCache(const checkpoint::DecoderConfig& config, int64_t pages,
                       int64_t tokens_per_page, at::ScalarType dtype) {
  nn::with_torch_errors(
      [&] {
        return "making room for " + std::to_string(pages * tokens_per_page) + " cached tokens (" +
               std::to_string(pages * tokens_per_page * bytes_per_token(config, dtype) >> 20) +
               " MiB)";
      },
      [&] {
        for (int64_t i = 0; i < config.layers; ++i)
          for (auto* list : {&keys_, &values_})
            list->push_back(at::empty({pages, config.kv_heads, tokens_per_page, config.head_dim},
                                      at::TensorOptions(dtype)));
      });
}

int64_t PagedCache::bytes_per_token(const checkpoint::DecoderConfig& config, at::ScalarType dtype) {
  return config.layers * 2 * config.kv_heads * config.head_dim *
         static_cast<int64_t>(c10::elementSize(dtype));
}

}  // namespace helio::model
