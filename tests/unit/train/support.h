// What the tests of this folder share: recorded checkpoints and rows, a folder of their own.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "../support/temp_dir.h"
#include "checkpoint/safetensors.h"
#include "core/json.h"
#include "core/lines.h"
#include "model/decoder.h"
#include "nn/tensor_io.h"
#include "train/batches.h"

namespace helio::train {

inline std::vector<Json> read_all(const std::filesystem::path& path) {
  std::vector<Json> rows;
  read_jsonl(path, [&](const Json& row, int64_t) { rows.push_back(row); });
  return rows;
}

// Ids with unshifted labels, as transformers takes them; no labels: every id is learned.
inline Row row_of(const std::vector<int32_t>& ids, const std::vector<int32_t>& labels) {
  Row row;
  row.inputs.assign(ids.begin(), ids.end() - 1);
  row.targets.assign(labels.begin() + 1, labels.end());
  return row;
}

inline double difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return a.sub(b).abs().max().item<double>();
}

// Every weight (or its gradient) against a recorded file; the message names the tensor.
enum class Compare { weights, gradients };
inline void expect_recorded(const model::Decoder& decoder, const std::filesystem::path& path,
                            Compare what, double tolerance) {
  const c10::AutoGradMode no_grad(false);
  const checkpoint::SafeTensors file(path);
  ASSERT_EQ(file.tensors().size(), decoder.parameters().size());
  for (const auto& [name, tensor] : decoder.parameters()) {
    const at::Tensor ours = what == Compare::weights ? tensor.detach() : tensor.grad();
    EXPECT_LT(difference(ours, nn::read_tensor(file, file.at(name))), tolerance) << name;
  }
}

}  // namespace helio::train
