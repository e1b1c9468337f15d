// Products of a few or many rows of activations with a weight matrix that is kept as it is stored:
// bfloat16, or ggml's Q8_0 and Q4_0 blocks, rearranged so that 16 rows of the matrix lie side by
// side (a panel) and nothing is expanded in memory; and float32 rows as they are. Compiled for
// AVX-512 with VNNI and for AVX2; plain loops for other processors. No tensors here (see kernels.h
// for why).
//
// A panel of 16 rows, by blocks of 32 columns:
//   int8  8 groups of [16 rows][4 columns] bytes, value + 128; a f16 scale for each row and block
//   int4  4 groups of [16 rows][4 bytes]: byte j of group g has column 4g + j in its low half,
//   column
//         16 + 4g + j in its high half, value + 8; scales as above
//   bf16  16 pairs of columns: [16 rows][2 columns]
#pragma once

#include <cstdint>

namespace helio::nn {

inline constexpr int64_t kPanelRows = 16, kBlock = 32;
// Activations stand in groups of tokens, block by block, so that what a kernel reads together lies
// together, at fixed distances.
inline constexpr int64_t kTokenGroup = 8;

enum class Output { set, add };

// One panel (or `columns` <= 16 float32 rows) times `tokens` rows of activations.
struct PanelJob {
  const void* weights = nullptr;     // the panel, 64-byte aligned; f32: rows of `width`
  const uint16_t* scales = nullptr;  // int8, int4: [blocks][16] f16
  int64_t blocks = 0;                // of 32 columns
  int64_t width = 0;                 // floats of a row of `x`, f32 only
  // int8, int4: what quantise_row made; the others: floats.
  const int8_t* codes = nullptr;       // [groups][blocks][8][32]
  const float* code_scales = nullptr;  // [groups][blocks][8]
  const int32_t* offsets = nullptr;    // [groups][blocks][8]
  const float* x = nullptr;            // bf16: [groups][blocks][8][32]; f32: [tokens][x_row]
  const uint16_t* rounded = nullptr;   // bf16_pairs_panel: what round_row made
  int64_t x_row = 0;
  int64_t tokens = 0;
  float* out = nullptr;  // the panel's first column; [tokens][out_row]
  int64_t out_row = 0;
  int64_t columns = kPanelRows;  // of the output that exist
  Output output = Output::set;
};

struct ProductKernels {
  const char* name;
  // Each block of 32 values as 8-bit codes, value ~ code * scale with scale = largest / 127; its
  // offset is -zero * (its codes, summed). `width` may end inside a block. A block's results stand
  // kTokenGroup places behind those of the one before, as in PanelJob.
  void (*quantise_row)(const float* x, int64_t width, int32_t zero, int8_t* codes, float* scales,
                       int32_t* offsets);
  // Exact sums of 8-bit products within a block, f32 across blocks in order: a token's result does
  // not depend on the others beside it.
  void (*int8_panel)(const PanelJob& job);
  void (*int4_panel)(const PanelJob& job);
  // Weights widened to f32: no rounding but that of f32 sums.
  void (*bf16_panel)(const PanelJob& job);
  void (*f32_rows)(const PanelJob& job);
  // Only where the processor multiplies pairs of bfloat16 (else null): activations rounded to
  // nearest, ties to even, in the places of quantise_row's codes, and the product of a bf16 panel
  // with them, summed in f32, a token's sum always in the same order. bf16_panel with floats so
  // rounded gives the same but for the last digits of the sums.
  void (*round_row)(const float* x, int64_t width, uint16_t* rounded) = nullptr;
  void (*bf16_pairs_panel)(const PanelJob& job) = nullptr;
};

// What int8_panel and int4_panel expect as `zero`: the number that stored values are above theirs.
inline constexpr int32_t kInt8Zero = 128, kInt4Zero = 8;

// The best for this processor; HELIO_KERNELS asks for less (nn/processor.h).
const ProductKernels& product_kernels();
const ProductKernels& avx512_bf16_product_kernels();
const ProductKernels& avx512_product_kernels();
const ProductKernels& avx2_product_kernels();
const ProductKernels& plain_product_kernels();

}  // namespace helio::nn
