// Loops over f32 rows that ATen has only as chains of operators on the CPU: one pass over memory
// instead of several. Compiled for AVX-512 and for AVX2 with FMA from one source (kernels_impl.h);
// the processor decides at run time. No tensors here: plain arrays, so that the files built for
// newer processors share no inline code with the rest.
#pragma once

#include <cstdint>

namespace helio::nn {

// Pointers to one document's part of packed rows, for one key/value head and the query heads it
// serves. A row of qkv holds all queries, keys and values of a token; out has all query heads.
struct AttentionUnit {
  int64_t tokens = 0;                             // of the document
  int64_t heads = 0;                              // query heads that share the key/value head
  int64_t size = 0;                               // of a head
  int64_t qkv_row = 0, out_row = 0, lse_row = 0;  // floats from one token to the next
  const float *q = nullptr, *k = nullptr, *v = nullptr;  // first token's
  const float *cos = nullptr, *sin = nullptr;            // [tokens, size / 2]
  float* out = nullptr;                                  // written forward, read backward
  float* lse = nullptr;      // log of the sum of exponentials, one a query head
  float* scratch = nullptr;  // attention_scratch() floats
  // Where parts begin that go on from what stands before the first without seeing each other.
  const int64_t* branches = nullptr;
  int64_t branch_count = 0;
  // Backward only.
  const float* d_out = nullptr;
  float *d_q = nullptr, *d_k = nullptr, *d_v = nullptr;
};

// One token's queries that share a key/value head, over the positions [first, last) of its
// sequence.
struct PagedUnit {
  int64_t first = 0, last = 0;
  int64_t heads = 0, size = 0;   // query heads, floats of a head
  int64_t page_tokens = 0;       // positions in a page
  float scale = 1, softcap = 0;  // of scores; 0: not capped
  const float* q = nullptr;      // [heads, size], rotated
  // By page of the sequence: where the key/value head's [page_tokens, size] begin.
  const float *const *key_pages = nullptr, *const *value_pages = nullptr;
  float* out = nullptr;      // [heads, size]
  float* scratch = nullptr;  // heads * (last - first) floats
};

enum class SoftmaxRows { log_prob, gradient };

struct Kernels {
  const char* name;
  // out = weight * x / rms(x); inverse[n] = 1 / rms of row n.
  void (*rms_norm)(const float* x, const float* weight, float* out, float* inverse, int64_t rows,
                   int64_t width, float eps);
  // d_x, and the rows' part of d_weight added to it.
  void (*rms_norm_backward)(const float* d_out, const float* x, const float* weight,
                            const float* inverse, float* d_x, float* d_weight, int64_t rows,
                            int64_t width);
  // out [rows, width] = silu(gate) * up; gate_up [rows, 2 width].
  void (*swiglu)(const float* gate_up, float* out, int64_t rows, int64_t width);
  // The same with gelu(gate), in its tanh form.
  void (*geglu)(const float* gate_up, float* out, int64_t rows, int64_t width);
  void (*swiglu_backward)(const float* d_out, const float* gate_up, float* d_gate_up, int64_t rows,
                          int64_t width);
  // log_probs[n] = log softmax(logits[n])[targets[n]]. With SoftmaxRows::gradient the logits become
  // scale[n] * (softmax - one hot); scale null: 1.
  void (*softmax_rows)(float* logits, const int64_t* targets, const float* scale, float* log_probs,
                       int64_t rows, int64_t width, SoftmaxRows mode);
  // Is there attention for heads of this size?
  bool (*attention_fits)(int64_t head_size);
  int64_t (*attention_scratch)(int64_t tokens, int64_t head_size);
  void (*attention)(const AttentionUnit& unit);
  void (*attention_backward)(const AttentionUnit& unit);
  void (*paged_attention)(const PagedUnit& unit);
};

// The best for this processor; null when it has neither instruction set, and compositions of ATen's
// operators are to be used. HELIO_KERNELS=avx2 or none asks for less (tests, comparisons).
const Kernels* kernels();
const Kernels& avx512_kernels();
const Kernels& avx2_kernels();

}  // namespace helio::nn
