// Keys and values of the tokens a decoder has already seen, layer by layer.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "checkpoint/hf_config.h"

namespace helio::model {

class KvCache {
 public:
  // Room for `capacity` tokens in each of `rows` rows; memory is taken at once.
  KvCache(const checkpoint::DecoderConfig& config, int64_t rows, int64_t capacity,
          at::ScalarType dtype);

  int64_t length() const { return length_; }  // tokens held, equal for all rows
  int64_t capacity() const { return capacity_; }
  int64_t rows() const { return rows_; }
  void clear() { length_ = 0; }

  struct View {
    at::Tensor keys_BKLD = {}, values_BKLD = {};
  };
  // Puts keys and values [B, K, t, D] behind the held ones of a layer and returns all of them. The
  // length grows when advance() is called, after the last layer.
  View append(int64_t layer, const at::Tensor& keys_BKtD, const at::Tensor& values_BKtD);
  void advance(const at::Tensor& ids_Bt);
  at::Tensor ids() const { return ids_.slice(1, 0, length_); }  // [B, length], those held

 private:
  int64_t rows_, capacity_, length_ = 0;
  std::vector<at::Tensor> keys_, values_;
  at::Tensor ids_ = {};
};

}  // namespace helio::model
