// Attention over keys and values in pages: many sequences of different lengths at once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "nn/layers.h"

namespace helio::nn {

// The new tokens of one sequence: its pages in order, how many tokens they held before, how many
// are new. Pages have room for all of them.
struct PagedStep {
  std::span<const int32_t> pages = {};
  int64_t past = 0, fresh = 0;
};

// Puts the keys and values [N, K, D] of new tokens (all steps' in order, N their sum) into pools
// [pages, K, P, D].
void write_pages(const at::Tensor& keys_NKD, const at::Tensor& values_NKD, at::Tensor& key_pool,
                 at::Tensor& value_pool, std::span<const PagedStep> steps);

// Each new token attends to its sequence's tokens up to itself. q [N, Q, D], rotated; returns
// [N, Q D]. No gradients.
at::Tensor paged_attention(const at::Tensor& q_NQD, const at::Tensor& key_pool,
                           const at::Tensor& value_pool, std::span<const PagedStep> steps,
                           const AttentionRule& rule);

}  // namespace helio::nn
