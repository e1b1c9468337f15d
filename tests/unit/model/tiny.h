// A small decoder and the recorded checkpoints, for the tests of this folder.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "../support/temp_dir.h"
#include "core/json.h"
#include "core/lines.h"
#include "core/rng.h"
#include "model/decoder.h"

namespace helio::model {

inline checkpoint::DecoderConfig tiny_config() {
  checkpoint::DecoderConfig config;
  config.vocab_size = 61;
  config.hidden_size = 24;
  config.intermediate_size = 40;
  config.layers = 2;
  config.heads = 6;
  config.kv_heads = 2;
  config.head_dim = 4;
  config.max_positions = 64;
  return config;
}

inline Decoder tiny_decoder(checkpoint::DecoderConfig config = tiny_config(), uint64_t seed = 1) {
  Decoder decoder(std::move(config));
  decoder.initialise(seed, 0.3);
  return decoder;
}

inline at::Tensor id_tensor(const std::vector<int64_t>& ids) {
  at::Tensor tensor =
      at::empty({1, static_cast<int64_t>(ids.size())}, at::TensorOptions(at::kLong));
  std::copy(ids.begin(), ids.end(), tensor.mutable_data_ptr<int64_t>());
  return tensor;
}

inline std::vector<int64_t> random_ids(int64_t count, uint64_t seed, int64_t vocabulary = 61) {
  Rng rng(seed);
  std::vector<int64_t> ids(static_cast<size_t>(count));
  for (auto& id : ids) id = static_cast<int64_t>(rng.below(static_cast<uint64_t>(vocabulary)));
  return ids;
}

inline std::vector<std::vector<int64_t>> read_id_rows(const std::filesystem::path& path) {
  std::vector<std::vector<int64_t>> rows;
  read_jsonl(path, [&](const Json& row, int64_t) {
    rows.push_back(row.at("ids").get<std::vector<int64_t>>());
  });
  return rows;
}

inline double max_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return a.sub(b).abs().max().item<double>();
}

}  // namespace helio::model
