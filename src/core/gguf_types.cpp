// The tensor types of ggml with their block sizes, as PyPI's gguf 0.19.0 lists them.
#include "core/error.h"
#include "core/gguf.h"

namespace helio {
namespace {

constexpr GgmlTypeInfo kTypes[] = {
    {GgmlType::f32, "F32", 1, 4},         {GgmlType::f16, "F16", 1, 2},
    {GgmlType::q4_0, "Q4_0", 32, 18},     {GgmlType::q4_1, "Q4_1", 32, 20},
    {GgmlType::q5_0, "Q5_0", 32, 22},     {GgmlType::q5_1, "Q5_1", 32, 24},
    {GgmlType::q8_0, "Q8_0", 32, 34},     {GgmlType(9), "Q8_1", 32, 40},
    {GgmlType::q2_k, "Q2_K", 256, 84},    {GgmlType::q3_k, "Q3_K", 256, 110},
    {GgmlType::q4_k, "Q4_K", 256, 144},   {GgmlType::q5_k, "Q5_K", 256, 176},
    {GgmlType::q6_k, "Q6_K", 256, 210},   {GgmlType(15), "Q8_K", 256, 292},
    {GgmlType(16), "IQ2_XXS", 256, 66},   {GgmlType(17), "IQ2_XS", 256, 74},
    {GgmlType(18), "IQ3_XXS", 256, 98},   {GgmlType(19), "IQ1_S", 256, 50},
    {GgmlType::iq4_nl, "IQ4_NL", 32, 18}, {GgmlType(21), "IQ3_S", 256, 110},
    {GgmlType(22), "IQ2_S", 256, 82},     {GgmlType::iq4_xs, "IQ4_XS", 256, 136},
    {GgmlType::i8, "I8", 1, 1},           {GgmlType::i16, "I16", 1, 2},
    {GgmlType::i32, "I32", 1, 4},         {GgmlType::i64, "I64", 1, 8},
    {GgmlType::f64, "F64", 1, 8},         {GgmlType(29), "IQ1_M", 256, 56},
    {GgmlType::bf16, "BF16", 1, 2},       {GgmlType(34), "TQ1_0", 256, 54},
    {GgmlType(35), "TQ2_0", 256, 66},     {GgmlType::mxfp4, "MXFP4", 32, 17},
    {GgmlType(40), "NVFP4", 64, 36},      {GgmlType(41), "Q1_0", 128, 18},
};

}  // namespace

const GgmlTypeInfo* find_ggml_type(uint32_t number) {
  for (const auto& type : kTypes)
    if (static_cast<uint32_t>(type.type) == number) return &type;
  return nullptr;
}

const GgmlTypeInfo& ggml_type_info(GgmlType type) {
  const auto* info = find_ggml_type(static_cast<uint32_t>(type));
  HELIO_CHECK(info != nullptr, "a tensor type outside the table");
  return *info;
}

}  // namespace helio
