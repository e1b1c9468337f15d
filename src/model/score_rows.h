// Log-probabilities at some positions, without a whole row of logits for any of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "model/decoder.h"
#include "text/tokenizer.h"

namespace helio::model {

struct AskedToken {
  int64_t row = 0;  // of hidden
  text::TokenId token = 0;
};

struct AskedScore {
  double log_prob = 0;     // natural, softmax in f32
  bool is_greedy = false;  // the most probable of its row; of equals the first
};

// hidden [N, H] after the final norm; `asked` by row. The vocabulary is taken in blocks: products
// for many rows at a time, of which the sum of exponentials and the best are kept.
std::vector<AskedScore> score_rows(const Decoder& decoder, const at::Tensor& hidden,
                                   std::span<const AskedToken> asked);

}  // namespace helio::model
