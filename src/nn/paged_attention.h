// Attention over keys and values in pages: many sequences of different lengths at once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "nn/kernels.h"
#include "nn/layers.h"

namespace helio::nn {

// The new tokens of one sequence: its pages in order, how many tokens they held before, how many
// are new. Pages have room for all of them.
struct PagedStep {
  std::span<const int32_t> pages = {};
  int64_t past = 0, fresh = 0;
  // The sequence branches off in the middle of a page: this page, of another sequence (which may be
  // an earlier step), has its tokens before `past`. -1: they are in its own.
  int32_t tail_page = -1;
};

// Puts the keys and values [N, K, D] of new tokens (all steps' in order, N their sum) into pools
// [pages, K, P, D].
void write_pages(const at::Tensor& keys_NKD, const at::Tensor& values_NKD, at::Tensor& key_pool,
                 at::Tensor& value_pool, std::span<const PagedStep> steps);

// Copies the tokens before `past` that stand in a tail_page to the sequence's own page, step after
// step. New tokens have been written.
void copy_tails(at::Tensor& key_pool, at::Tensor& value_pool, std::span<const PagedStep> steps);

// Each new token attends to its sequence's tokens up to itself. q [N, Q, D], rotated; returns
// [N, Q D]. No gradients.
at::Tensor paged_attention(const at::Tensor& q_NQD, const at::Tensor& key_pool,
                           const at::Tensor& value_pool, std::span<const PagedStep> steps,
                           const AttentionRule& rule);

// A layer's pools of f32 pages as plain arrays.
struct PagedPools {
  const float *keys, *values;
  int64_t kv_heads, page_tokens, size;
  PagedPools(const at::Tensor& key_pool, const at::Tensor& value_pool);
  // Where a page's [page_tokens, size] of a key/value head begins.
  int64_t place(int32_t page, int64_t head) const {
    return (page * kv_heads + head) * page_tokens * size;
  }
};

// The same for one token at `position` of a sequence and the query heads that share one key/value
// head. q and out [queries, size] are the token's.
void attend_in_pages(const Kernels& kernels, const PagedPools& pools, const PagedStep& step,
                     int64_t position, int64_t head, int64_t queries, const float* q, float* out,
                     const AttentionRule& rule);

}  // namespace helio::nn
