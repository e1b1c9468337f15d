#include "checkpoint/gguf/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checkpoint/quant/dequantise.h"
#include "checkpoint/safetensors_header.h"
#include "core/error.h"

namespace helio::checkpoint {

int64_t interleaved_row(int64_t row, int64_t size) {
  const int64_t head = row / size, within = row % size;
  return head * size + within % (size / 2) * 2 + within / (size / 2);
}

int64_t separated_row(int64_t row, int64_t size) {
  const int64_t head = row / size, within = row % size;
  return head * size + within % 2 * (size / 2) + within / 2;
}

std::string GgufModel::key(std::string_view rest) const {
  return fmt::format("{}.{}", family_->arch, rest);
}

GgufModel::GgufModel(const fs::path& path) : file_(path) {
  const auto arch = file_.string("general.architecture");
  if (!arch) file_.at("general.architecture");
  family_ = &gguf_family(*arch, path.string());
  if (file_.integer("split.count").value_or(1) > 1)
    throw Error(ErrorKind::invalid, path.string() + " is one file of several")
        .with_hint("put them together first: `llama-gguf-split --merge FIRST.gguf ONE.gguf`");
  for (const auto& tensor : file_.tensors()) place(tensor);
  sort_tensors();
}

void GgufModel::place(const GgufTensor& tensor) {
  const auto fail = [&](const std::string& what) {
    return Error(ErrorKind::invalid,
                 file_.path().string() + ": tensor '" + shown(tensor.name) + "' " + what);
  };
  if (!can_dequantise(tensor.type))
    throw fail(
        fmt::format("has type {}, which helio does not read", ggml_type_info(tensor.type).name))
        .with_hint("fetch the model as F16, BF16, Q8_0 or one of Q2_K to Q6_K");
  if (tensor.name == "rope_freqs.weight") return void(rope_freqs_ = &tensor);
  if (tensor.name == "rope_factors_long.weight") return void(rope_long_ = &tensor);
  if (tensor.name == "rope_factors_short.weight") return void(rope_short_ = &tensor);
  const auto name = hugging_face_name(*family_, tensor.name);
  if (!name)
    throw fail(fmt::format("is none of the architecture '{}'", family_->arch))
        .with_hint("the file may have been made by a newer llama.cpp or for another one's fork");
  Stored stored{.tensor = &tensor,
                .plus_one = family_->norm_plus_one && name->ends_with("norm.weight")};
  if (const auto projection = projection_of(*name);
      family_->permuted && projection != Projection::other) {
    const std::string count =
        key(projection == Projection::query ? "attention.head_count" : "attention.head_count_kv");
    stored.heads = file_.has(count) ? file_.at(count).integer()
                                    : file_.at(key("attention.head_count")).integer();
    const int64_t rows = tensor.shape.empty() ? 0 : tensor.shape[0];
    if (tensor.shape.size() == 1 && ggml_type_info(tensor.type).block != 1)
      throw fail("is a quantised bias").with_hint("the file is damaged");
    if (stored.heads < 1 || rows < 1 || rows % stored.heads != 0 || rows / stored.heads % 2 != 0)
      throw fail(
          fmt::format("has {} rows, which are not {} heads of an even size", rows, stored.heads))
          .with_hint("the file is damaged");
  }
  tensors_.push_back({.name = *name,
                      .type = std::string(ggml_type_info(tensor.type).name),
                      .shape = tensor.shape,
                      .size = tensor.size,
                      .index = stored_.size()});
  stored_.push_back(stored);
}

const GgufTensor& GgufModel::stored(const Weight& weight) const {
  return *stored_[weight.index].tensor;
}

void GgufModel::read(const Weight& weight, int64_t first_row, std::span<float> out) const {
  const Stored& stored = stored_[weight.index];
  const auto& info = ggml_type_info(stored.tensor->type);
  const auto data = file_.data(*stored.tensor);
  // A bias is a column of rows of one value; it is F32, so that any row can be read alone.
  const bool column = stored.heads > 0 && weight.shape.size() == 1;
  const int64_t width = column ? 1 : weight.width();
  if (column) first_row *= weight.width();
  const size_t row_bytes = static_cast<size_t>(width) / info.block * info.bytes;
  const int64_t rows = width == 0 ? 0 : static_cast<int64_t>(out.size()) / width;
  if (stored.heads == 0) {
    dequantise(stored.tensor->type,
               data.subspan(static_cast<size_t>(first_row) * row_bytes,
                            static_cast<size_t>(rows) * row_bytes),
               out);
  } else {
    const int64_t size = weight.shape[0] / stored.heads;
    for (int64_t i = 0; i < rows; ++i)
      dequantise(stored.tensor->type,
                 data.subspan(static_cast<size_t>(interleaved_row(first_row + i, size)) * row_bytes,
                              row_bytes),
                 out.subspan(static_cast<size_t>(i * width), static_cast<size_t>(width)));
  }
  if (stored.plus_one)
    for (float& value : out) value -= 1;
}

std::span<const std::byte> GgufModel::bytes(const Weight& weight) const {
  const Stored& stored = stored_[weight.index];
  if (stored.heads > 0 || stored.plus_one) return {};
  return file_.data(*stored.tensor);
}

DType GgufModel::natural_dtype() const {
  uint64_t half = 0, bfloat = 0, other = 0;
  for (const auto& stored : stored_) {
    const auto elements = static_cast<uint64_t>(stored.tensor->elements());
    if (stored.tensor->type == GgmlType::f16) half += elements;
    else if (stored.tensor->type == GgmlType::bf16) bfloat += elements;
    else other += elements;
  }
  if (half > bfloat && half > other) return DType::f16;
  if (bfloat > half && bfloat > other) return DType::bf16;
  return DType::f32;
}

}  // namespace helio::checkpoint
