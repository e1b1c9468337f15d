#include "model/load_decoder.h"

#include <algorithm>
#include <map>

#include "checkpoint/gguf/model.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/weights.h"
#include "core/error.h"
#include "core/gguf.h"
#include "core/json.h"
#include "nn/tensor_io.h"

namespace helio::model {
namespace {

using nn::WeightFormat;

bool holds_bf16(const std::filesystem::path& dir) {
  const checkpoint::SafeTensors file(dir);
  const auto& tensors = file.tensors();
  return std::all_of(tensors.begin(), tensors.end(), [](const checkpoint::TensorInfo& tensor) {
    return tensor.shape.size() < 2 || tensor.dtype == checkpoint::DType::bf16;
  });
}

// What the matrices of most layers are stored as. Blocks that have no kernels of their own become
// int8: its rounding (a 254th of a block's largest weight) is that which activations get anyway.
WeightFormat gguf_format(const std::filesystem::path& path) {
  const GgufFile file(path);
  std::map<GgmlType, int64_t> elements;
  for (const GgufTensor& tensor : file.header().tensors)
    if (tensor.name.starts_with("blk.") && tensor.shape.size() >= 2)  // experts have three
      elements[tensor.type] += tensor.elements();
  const auto most =
      std::max_element(elements.begin(), elements.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == elements.end()) return WeightFormat::f32;
  switch (most->first) {
    case GgmlType::bf16:
      return WeightFormat::bf16;
    case GgmlType::q8_0:
      return WeightFormat::int8;
    case GgmlType::q4_0:
      return WeightFormat::int4;
    default:
      return ggml_type_info(most->first).block > 1 ? WeightFormat::int8 : WeightFormat::f32;
  }
}

WeightFormat format_of(const std::filesystem::path& dir, std::string_view weights) {
  if (weights == "auto") {
    if (std::filesystem::is_regular_file(dir) && is_gguf(dir)) return gguf_format(dir);
    return holds_bf16(dir) ? WeightFormat::bf16 : WeightFormat::f32;
  }
  for (const auto format :
       {WeightFormat::f32, WeightFormat::bf16, WeightFormat::int8, WeightFormat::int4})
    if (nn::weight_format_name(format) == weights) return format;
  throw Error(ErrorKind::usage, "unknown weights '" + std::string(weights) + "'")
      .with_hint("known: f32, bf16, int8, int4, auto");
}

WeightFormat format_to_run(const std::filesystem::path& dir, std::string_view dtype,
                           std::string_view weights) {
  const at::ScalarType type = nn::parse_scalar_type(dtype);
  if (type == at::kFloat) return format_of(dir, weights);
  if (type != at::kBFloat16)
    throw Error(ErrorKind::usage, "models do not run in " + std::string(dtype))
        .with_hint("known: float32, bfloat16");
  if (weights == "int8" || weights == "int4")
    throw Error(ErrorKind::usage,
                "weights " + std::string(weights) + " are computed with in float32")
        .with_hint("leave dtype at float32");
  return WeightFormat::bf16_both;
}

}  // namespace

Decoder load_decoder_to_run(const std::filesystem::path& dir, std::string_view dtype,
                            std::string_view weights, const std::filesystem::path& adapter) {
  return Decoder::load_packed(dir, format_to_run(dir, dtype, weights), adapter);
}

checkpoint::DecoderConfig load_config_to_run(const std::filesystem::path& dir) {
  if (!std::filesystem::is_regular_file(dir) || !is_gguf(dir))
    return checkpoint::load_decoder_config(dir);
  const checkpoint::GgufModel file(dir);
  return checkpoint::parse_decoder_config(Json::parse(compact(file.config())), dir.string());
}

uint64_t weight_bytes_to_run(const std::filesystem::path& dir, std::string_view dtype,
                             std::string_view weights) {
  const WeightFormat format = format_to_run(dir, dtype, weights);
  // Blocks of 32 with a scale of two bytes; the vocabulary's matrices of int4 are int8.
  const auto element_bytes = [&](const std::string& name, size_t dimensions) {
    const bool bf16 = format == WeightFormat::bf16 || format == WeightFormat::bf16_both;
    if (dimensions >= 2 && bf16) return 2.0;
    if (dimensions >= 2 && format == WeightFormat::int8) return 34.0 / 32;
    if (dimensions >= 2 && format == WeightFormat::int4)
      return name.find(".layers.") == std::string::npos ? 34.0 / 32 : 18.0 / 32;
    return 4.0;
  };
  double bytes = 0;
  const auto file = checkpoint::open_weights(dir);
  for (const auto& weight : file->tensors())
    bytes +=
        static_cast<double>(weight.elements()) * element_bytes(weight.name, weight.shape.size());
  return static_cast<uint64_t>(bytes);
}

}  // namespace helio::model
