#include "nn/paged_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "nn/kernels.h"
#include "nn/parallel.h"

namespace helio::nn {
namespace {

// Few new tokens are bound by reading the pages; many by arithmetic, which a product of matrices
// does better even after putting the pages together.
constexpr int64_t kFewTokens = 4;

double score_scale(const AttentionRule& rule, int64_t size) {
  return rule.scale != 0 ? rule.scale : 1 / std::sqrt(static_cast<double>(size));
}

at::Tensor page_list(const PagedStep& step, int64_t tokens_per_page) {
  const int64_t count = (step.past + step.fresh + tokens_per_page - 1) / tokens_per_page;
  at::Tensor list = at::empty({count}, at::TensorOptions(at::kInt));
  std::copy_n(step.pages.begin(), count, list.mutable_data_ptr<int32_t>());
  return list;
}

// The sequence's keys or values side by side: [1, K, L, D].
at::Tensor gathered(const at::Tensor& pool, const PagedStep& step) {
  const int64_t heads = pool.size(1), tokens = pool.size(2), size = pool.size(3);
  const at::Tensor pages = pool.index_select(0, page_list(step, tokens));
  return pages.transpose(0, 1).reshape({1, heads, -1, size}).slice(2, 0, step.past + step.fresh);
}

struct Job {
  const PagedStep* step = nullptr;
  int64_t token = 0;     // row of q
  int64_t position = 0;  // of the token in its sequence
};

void run_jobs(const Kernels& kernels, const std::vector<Job>& jobs, const at::Tensor& q,
              const at::Tensor& key_pool, const at::Tensor& value_pool, const AttentionRule& rule,
              at::Tensor& out) {
  const PagedPools pools(key_pool, value_pool);
  const int64_t row = q.size(1) * q.size(2);
  const float* const q_data = q.const_data_ptr<float>();
  float* const out_data = out.mutable_data_ptr<float>();
  parallel_units(static_cast<int64_t>(jobs.size()) * pools.kv_heads, [&](int64_t unit) {
    const Job& job = jobs[static_cast<size_t>(unit / pools.kv_heads)];
    attend_in_pages(kernels, pools, *job.step, job.position, unit % pools.kv_heads, q.size(1),
                    q_data + job.token * row, out_data + job.token * row, rule);
  });
}

}  // namespace

PagedPools::PagedPools(const at::Tensor& key_pool, const at::Tensor& value_pool)
    : keys(key_pool.const_data_ptr<float>()),
      values(value_pool.const_data_ptr<float>()),
      kv_heads(key_pool.size(1)),
      page_tokens(key_pool.size(2)),
      size(key_pool.size(3)) {}

void attend_in_pages(const Kernels& kernels, const PagedPools& pools, const PagedStep& step,
                     int64_t position, int64_t head, int64_t queries, const float* q, float* out,
                     const AttentionRule& rule) {
  const int64_t last = position + 1, tokens = pools.page_tokens, group = queries / pools.kv_heads;
  const int64_t first = rule.window > 0 ? std::max<int64_t>(0, last - rule.window) : 0;
  const auto pages = static_cast<size_t>((last + tokens - 1) / tokens);
  std::vector<const float*> key_pages(pages), value_pages(pages);
  for (size_t i = 0; i < pages; ++i) {
    const int64_t at = pools.place(step.pages[i], head);
    key_pages[i] = pools.keys + at;
    value_pages[i] = pools.values + at;
  }
  std::vector<float> scratch(static_cast<size_t>(group * (last - first)));
  const int64_t place = head * group * pools.size;
  kernels.paged_attention({.first = first,
                           .last = last,
                           .heads = group,
                           .size = pools.size,
                           .page_tokens = tokens,
                           .scale = static_cast<float>(score_scale(rule, pools.size)),
                           .softcap = static_cast<float>(rule.softcap),
                           .q = q + place,
                           .key_pages = key_pages.data(),
                           .value_pages = value_pages.data(),
                           .out = out + place,
                           .scratch = scratch.data()});
}

void write_pages(const at::Tensor& keys_NKD, const at::Tensor& values_NKD, at::Tensor& key_pool,
                 at::Tensor& value_pool, std::span<const PagedStep> steps) {
  const int64_t tokens = key_pool.size(2);
  int64_t row = 0;
  for (const PagedStep& step : steps) {
    for (int64_t done = 0; done < step.fresh;) {
      const int64_t at = step.past + done, inside = at % tokens;
      const int64_t count = std::min(step.fresh - done, tokens - inside);
      const int64_t page = step.pages[static_cast<size_t>(at / tokens)];
      const auto put = [&](const at::Tensor& from_NKD, at::Tensor& pool) {
        pool.select(0, page)
            .slice(1, inside, inside + count)
            .copy_(from_NKD.slice(0, row, row + count).transpose(0, 1));
      };
      put(keys_NKD, key_pool);
      put(values_NKD, value_pool);
      done += count;
      row += count;
    }
  }
}

void copy_tails(at::Tensor& key_pool, at::Tensor& value_pool, std::span<const PagedStep> steps) {
  const int64_t heads = key_pool.size(1), tokens = key_pool.size(2);
  const int64_t token_bytes = key_pool.size(3) * static_cast<int64_t>(key_pool.element_size());
  for (at::Tensor* pool : {&key_pool, &value_pool}) {
    auto* const data = static_cast<char*>(pool->mutable_data_ptr());
    const auto place = [&](int64_t page, int64_t head) {
      return data + (page * heads + head) * tokens * token_bytes;
    };
    for (const PagedStep& step : steps) {
      if (step.tail_page < 0) continue;
      const int64_t own = step.pages[static_cast<size_t>(step.past / tokens)];
      for (int64_t head = 0; head < heads; ++head)
        std::copy_n(place(step.tail_page, head), step.past % tokens * token_bytes,
                    place(own, head));
    }
  }
}

at::Tensor paged_attention(const at::Tensor& q_NQD, const at::Tensor& key_pool,
                           const at::Tensor& value_pool, std::span<const PagedStep> steps,
                           const AttentionRule& rule) {
  const int64_t queries = q_NQD.size(1), size = q_NQD.size(2);
  const Kernels* const fast = q_NQD.scalar_type() == at::kFloat ? kernels() : nullptr;
  const at::Tensor q = q_NQD.contiguous();
  at::Tensor out = at::empty(q.sizes(), q.options());
  std::vector<Job> jobs;
  int64_t row = 0;
  for (const PagedStep& step : steps) {
    if (fast && step.fresh <= kFewTokens) {
      for (int64_t i = 0; i < step.fresh; ++i)
        jobs.push_back({.step = &step, .token = row + i, .position = step.past + i});
    } else {
      const at::Tensor mine = q.slice(0, row, row + step.fresh).transpose(0, 1).unsqueeze(0);
      const at::Tensor attended =
          causal_attention(mine, gathered(key_pool, step), gathered(value_pool, step), rule);
      out.slice(0, row, row + step.fresh).copy_(attended.squeeze(0).transpose(0, 1));
    }
    row += step.fresh;
  }
  HELIO_CHECK(row == q.size(0), "as many queries as new tokens");
  if (!jobs.empty()) run_jobs(*fast, jobs, q, key_pool, value_pool, rule, out);
  return out.view({-1, queries * size});
}

}  // namespace helio::nn
