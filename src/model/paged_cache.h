// Keys and values of many sequences in pages that sequences share (model/page_pool.h says whose
// they are).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "checkpoint/hf_config.h"

namespace helio::model {

class PagedCache {
 public:
  // Memory is taken at once: layers * 2 * pages * tokens_per_page * kv_heads * head_dim numbers.
  PagedCache(const checkpoint::DecoderConfig& config, int64_t pages, int64_t tokens_per_page,
             at::ScalarType dtype);

  // [pages, K, tokens of a page, D] of a layer.
  at::Tensor& keys(int64_t layer) { return keys_[static_cast<size_t>(layer)]; }
  at::Tensor& values(int64_t layer) { return values_[static_cast<size_t>(layer)]; }

  static int64_t bytes_per_token(const checkpoint::DecoderConfig& config, at::ScalarType dtype);

 private:
  std::vector<at::Tensor> keys_ = {}, values_ = {};
};

}  // namespace helio::model
