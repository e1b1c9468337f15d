#include "checkpoint/gguf/tensor_types.h"

#include <array>
#include <charconv>
#include <string>

#include "core/error.h"

namespace helio::checkpoint {
namespace {

struct Row {
  std::string_view word;
  ExportType type;
  GgmlType matrices;
  uint32_t number;
};
constexpr std::array<Row, 7> kTypes = {{{"f32", ExportType::f32, GgmlType::f32, 0},
                                        {"f16", ExportType::f16, GgmlType::f16, 1},
                                        {"bf16", ExportType::bf16, GgmlType::bf16, 32},
                                        {"q8_0", ExportType::q8_0, GgmlType::q8_0, 7},
                                        {"q4_0", ExportType::q4_0, GgmlType::q4_0, 2},
                                        {"q4_k_m", ExportType::q4_k_m, GgmlType::q4_k, 15},
                                        {"q6_k", ExportType::q6_k, GgmlType::q6_k, 18}}};

const Row& row_of(ExportType type) {
  for (const auto& row : kTypes)
    if (row.type == type) return row;
  return kTypes[0];
}

int64_t layer_of(std::string_view name) {
  int64_t layer = 0;
  name.remove_prefix(std::min(name.size(), std::string_view("blk.").size()));
  std::from_chars(name.data(), name.data() + name.size(), layer);
  return layer;
}

// The first and last eighth of the layers, and every third between.
bool deserves_more(int64_t layer, int64_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

// Rows that are no whole number of super-blocks get the next type with blocks of 32.
GgmlType that_fits(GgmlType type, int64_t width) {
  if (width % ggml_type_info(type).block == 0) return type;
  const GgmlType smaller = type == GgmlType::q4_k   ? GgmlType::q5_0
                           : type == GgmlType::q5_k ? GgmlType::q5_1
                                                    : GgmlType::q8_0;
  return width % 32 == 0 ? smaller : GgmlType::f16;
}

}  // namespace

ExportType export_type_of(std::string_view word) {
  std::string known;
  for (const auto& row : kTypes) {
    if (row.word == word) return row.type;
    known += (known.empty() ? "" : ", ") + std::string(row.word);
  }
  throw Error(ErrorKind::usage, "'" + std::string(word) + "' is no type of GGUF that helio writes")
      .with_hint("choose one of " + known);
}

uint32_t file_type_number(ExportType type) { return row_of(type).number; }

bool is_quantised(ExportType type) {
  return type != ExportType::f32 && type != ExportType::f16 && type != ExportType::bf16;
}

GgmlType tensor_type(ExportType type, const ModelOutline& model, std::string_view name,
                     const std::vector<int64_t>& shape) {
  if (shape.size() < 2 || !name.ends_with(".weight") || name.ends_with("_norm.weight"))
    return GgmlType::f32;
  GgmlType out = row_of(type).matrices;
  if (!is_quantised(type)) return out;
  const int64_t width = shape.back();
  const bool is_head =
      name == "output.weight" || (name == "token_embd.weight" && !model.separate_head);
  if (is_head) {
    if (out != GgmlType::q8_0) out = width % 256 != 0 ? GgmlType::q8_0 : GgmlType::q6_k;
  } else if (type == ExportType::q4_k_m) {
    if (name.ends_with(".attn_v.weight")) {
      if (deserves_more(layer_of(name), model.layers)) out = GgmlType::q6_k;
      else if (model.is_70b) out = GgmlType::q5_k;
    } else if (name.ends_with(".ffn_down.weight")) {
      if (deserves_more(layer_of(name), model.layers)) out = GgmlType::q6_k;
    } else if (name.ends_with(".attn_qkv.weight")) {
      out = GgmlType::q5_k;
    }
  }
  return that_fits(out, width);
}

}  // namespace helio::checkpoint
