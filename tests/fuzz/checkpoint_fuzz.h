// What the checkpoint fuzz targets do with bytes: shared with the replay under gtest, so that every
// build runs it without libFuzzer.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "checkpoint/hf_config.h"
#include "checkpoint/merge/plan.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"
#include "core/json.h"

namespace helio::checkpoint::fuzz {

enum class Outcome { accepted, refused };

// Bytes as a whole safetensors file: refused with an invalid Error, or every tensor lies inside it
// and the header can be written again and read as the same.
inline Outcome try_safetensors(std::string_view bytes) {
  SafeTensorsHeader header;
  try {
    header = parse_safetensors_header(bytes, bytes.size(), "fuzz");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) std::abort();
    return Outcome::refused;
  }
  uint64_t total = 0;
  std::vector<TensorLayout> layout;
  for (const auto& tensor : header.tensors) {
    if (tensor.offset < header.data_begin || tensor.offset + tensor.size > bytes.size())
      std::abort();
    if (tensor_bytes(tensor.name, tensor.dtype, tensor.shape) != tensor.size) std::abort();
    total += tensor.size;
    layout.push_back({.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape});
  }
  if (header.data_begin + total != bytes.size()) std::abort();
  plan_layout(layout);
  const std::string again = make_safetensors_header(layout, header.metadata);
  const auto back = parse_safetensors_header(again, again.size() + total, "again");
  if (back.tensors.size() != header.tensors.size() || back.metadata != header.metadata)
    std::abort();
  return Outcome::accepted;
}

// Bytes as a config.json: refused with an invalid Error, or what it says survives being written.
inline Outcome try_config(std::string_view bytes) {
  DecoderConfig config;
  try {
    config = parse_decoder_config(parse_json(bytes, "fuzz"), "fuzz");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) std::abort();
    return Outcome::refused;
  }
  if (config.parameters() <= 0) std::abort();
  const auto written = decoder_config_json(config);
  const auto back = decoder_config_json(parse_decoder_config(Json::parse(written.dump()), "again"));
  if (back != written) std::abort();
  return Outcome::accepted;
}

// Bytes as a merge plan: refused with an Error of the user's, or it has layers within bounds and
// every setting has a value for every depth.
inline Outcome try_merge_plan(std::string_view bytes) {
  MergePlan plan;
  try {
    plan = parse_merge_plan(bytes, "fuzz");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid && error.kind() != ErrorKind::usage) std::abort();
    return Outcome::refused;
  }
  int64_t layers = 0;
  const auto check = [](const Settings& settings) {
    for (const auto& [name, setting] : settings)
      for (const double depth : {0.0, 0.3, 1.0}) static_cast<void>(setting.at("a.mlp.b", depth));
  };
  check(plan.parameters);
  if (plan.method == nullptr || plan.slices.empty()) std::abort();
  for (const auto& slice : plan.slices) {
    if (slice.sources.empty()) std::abort();
    check(slice.parameters);
    for (const auto& source : slice.sources) check(source.parameters);
    if (!plan.whole_models) layers += slice.sources[0].end - slice.sources[0].first;
  }
  if (layers < 0 || layers > kMostLayers) std::abort();
  return Outcome::accepted;
}

}  // namespace helio::checkpoint::fuzz
