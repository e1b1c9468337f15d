// A small GGUF model seen as Hugging Face's, whole and damaged.
#include <array>
#include <cstring>

#include "../support/mutate.h"
#include "checkpoint/expected_tensors.h"
#include "checkpoint/gguf/model.h"
#include "checkpoint/gguf/rope.h"
#include "checkpoint/gguf/tensor_types.h"
#include "checkpoint_test.h"
#include "core/gguf_write.h"

namespace helio::checkpoint {
namespace {

using namespace testing;

constexpr int64_t kHidden = 32, kHeads = 4, kKv = 2, kFfn = 64, kVocabulary = 40;

// Values count up from 0 in each tensor, so that a moved row shows.
void write_model(const fs::path& path, GgmlType type = GgmlType::f32) {
  GgufPlan plan;
  plan.set_string("general.architecture", "llama");
  plan.set_u32("llama.block_count", 1);
  plan.set_u32("llama.embedding_length", kHidden);
  plan.set_u32("llama.feed_forward_length", kFfn);
  plan.set_u32("llama.context_length", 64);
  plan.set_u32("llama.attention.head_count", kHeads);
  plan.set_u32("llama.attention.head_count_kv", kKv);
  plan.set_f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
  plan.set_u32("llama.surprise", 1);
  plan.set_u32("tokenizer.ggml.bos_token_id", 1);
  plan.set_u32("tokenizer.ggml.eos_token_id", 2);
  plan.set_u32("tokenizer.ggml.eot_token_id", 3);
  plan.add_tensor("token_embd.weight", type, {kVocabulary, kHidden});
  plan.add_tensor("output_norm.weight", GgmlType::f32, {kHidden});
  for (const char* name : {"attn_norm", "ffn_norm"})
    plan.add_tensor("blk.0." + std::string(name) + ".weight", GgmlType::f32, {kHidden});
  for (const char* name : {"attn_q", "attn_output"})
    plan.add_tensor("blk.0." + std::string(name) + ".weight", type, {kHidden, kHidden});
  for (const char* name : {"attn_k", "attn_v"})
    plan.add_tensor("blk.0." + std::string(name) + ".weight", type,
                    {kHidden * kKv / kHeads, kHidden});
  for (const char* name : {"ffn_gate", "ffn_up"})
    plan.add_tensor("blk.0." + std::string(name) + ".weight", type, {kFfn, kHidden});
  plan.add_tensor("blk.0.ffn_down.weight", type, {kHidden, kFfn});
  GgufWriter writer(path, plan);
  while (const auto* tensor = writer.next()) {
    std::vector<std::byte> bytes(tensor->size);
    if (tensor->type == GgmlType::f32)
      for (size_t i = 0; i < bytes.size() / 4; ++i) {
        const auto value = static_cast<float>(i);
        std::memcpy(bytes.data() + 4 * i, &value, 4);
      }
    writer.write(bytes);
  }
  writer.commit();
}

TEST(GgufModel, NamesValuesAndConfigAreHuggingFaces) {
  TempDir dir;
  write_model(dir / "x.gguf");
  const GgufModel model(dir / "x.gguf");
  const OrderedJson config = model.config();
  EXPECT_EQ(config["architectures"][0], "LlamaForCausalLM");
  EXPECT_EQ(config["rms_norm_eps"].dump(), "1e-05");  // not 9.999999747378752e-06
  EXPECT_EQ(config["rope_theta"], 10000.0);
  EXPECT_EQ(config["head_dim"], 8);
  EXPECT_EQ(config["vocab_size"], kVocabulary);
  EXPECT_EQ(config["tie_word_embeddings"], true);
  EXPECT_EQ(model.generation_config()["eos_token_id"].dump(), "[2,3]");
  EXPECT_EQ(model.unread_keys(), (std::vector<std::string>{"llama.surprise"}));
  std::vector<FoundTensor> found;
  for (const auto& weight : model.tensors())
    found.push_back({.name = weight.name, .shape = weight.shape});
  EXPECT_EQ(tensor_differences(*expected_tensors(config, "x"), found), std::vector<std::string>{});

  // Head 1 has rows 8 to 15; the file has pairs (0, 4), (1, 5) ... next to each other.
  const auto* query = model.find("model.layers.0.self_attn.q_proj.weight");
  std::vector<float> rows(3 * kHidden);
  model.read(*query, 8, rows);
  EXPECT_EQ(rows[0], 8.0f * kHidden);
  EXPECT_EQ(rows[kHidden], 10.0f * kHidden);
  EXPECT_EQ(rows[2 * kHidden], 12.0f * kHidden);
  const auto* value = model.find("model.layers.0.self_attn.v_proj.weight");
  model.read(*value, 8, rows);
  EXPECT_EQ(rows[kHidden], 9.0f * kHidden);
  EXPECT_TRUE(model.bytes(*query).empty());
  EXPECT_FALSE(model.bytes(*value).empty());
}

TEST(GgufModel, RowOrdersAreInverse) {
  for (const int64_t size : {2, 8, 64, 128})
    for (int64_t row = 0; row < 3 * size; ++row) {
      EXPECT_EQ(separated_row(interleaved_row(row, size), size), row);
      EXPECT_EQ(interleaved_row(row, size) / size, row / size);
    }
  EXPECT_EQ(interleaved_row(1, 8), 2);
  EXPECT_EQ(interleaved_row(4, 8), 1);
}

TEST(GgufModel, Llama3ScalingIsFoundFromItsFactors) {
  const Llama3Scaling scaling{.factor = 32};
  const auto factors = llama3_factors(scaling, 500000, 64);
  ASSERT_EQ(factors.size(), 32u);
  EXPECT_EQ(factors[0], 1.0f);
  EXPECT_EQ(factors[31], 32.0f);
  const auto found = find_llama3_scaling(factors, 500000);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->factor, 32);
  EXPECT_EQ(found->original_max_position, 8192);
  EXPECT_FALSE(find_llama3_scaling(factors, 10000).has_value());
}

TEST(GgufModel, TheMixIsLlamaQuantizes) {
  const ModelOutline tied{.layers = 30}, untied{.layers = 32, .separate_head = true};
  const auto type = [](const ModelOutline& model, const char* name, int64_t width) {
    return tensor_type(ExportType::q4_k_m, model, name, {256, width});
  };
  EXPECT_EQ(type(untied, "output.weight", 4096), GgmlType::q6_k);
  EXPECT_EQ(type(untied, "token_embd.weight", 4096), GgmlType::q4_k);
  EXPECT_EQ(type(tied, "token_embd.weight", 4096), GgmlType::q6_k);
  EXPECT_EQ(type(tied, "token_embd.weight", 576), GgmlType::q8_0);
  EXPECT_EQ(type(untied, "blk.3.ffn_down.weight", 4096), GgmlType::q6_k);  // first eighth
  EXPECT_EQ(type(untied, "blk.4.ffn_down.weight", 4096), GgmlType::q4_k);
  EXPECT_EQ(type(untied, "blk.6.ffn_down.weight", 4096), GgmlType::q6_k);  // every third
  EXPECT_EQ(type(untied, "blk.28.attn_v.weight", 4096), GgmlType::q6_k);   // last eighth
  EXPECT_EQ(type(untied, "blk.4.attn_q.weight", 576), GgmlType::q5_0);     // no super-blocks
  EXPECT_EQ(type(untied, "blk.4.attn_q.weight", 100), GgmlType::f16);      // no blocks at all
  EXPECT_EQ(type(untied, "blk.4.attn_norm.weight", 4096), GgmlType::f32);
  EXPECT_EQ(tensor_type(ExportType::f16, tied, "blk.0.attn_q.bias", {64}), GgmlType::f32);
}

TEST(GgufModel, DamagedFilesAreReadOrRefused) {
  TempDir dir;
  write_model(dir / "a.gguf");
  write_model(dir / "b.gguf", GgmlType::q8_0);
  const std::vector<std::string> seeds = {read_file(dir / "a.gguf"), read_file(dir / "b.gguf")};
  constexpr std::array<std::string_view, 7> pieces = {"llama",
                                                      "gemma3",
                                                      "attn_q",
                                                      std::string_view("\0\0\0\0", 4),
                                                      "\xff\xff\xff\x7f",
                                                      ".bias",
                                                      std::string_view("\x08\0\0\0\0\0\0\0", 8)};
  Rng rng(77);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 600; ++round) {
    const auto& seed = seeds[rng.below(2)];
    const size_t head = parse_gguf(seed, "x").data_begin;
    // The head alone is damaged, and mostly keeps its length: what follows stays in its place.
    std::string bytes = mutate(seed.substr(0, head), pieces, rng, {.most_changes = 2});
    bytes.resize(head);
    write_bytes(dir / "x.gguf", bytes + seed.substr(head));
    try {
      const GgufModel model(dir / "x.gguf");
      for (const auto& weight : model.tensors()) {
        std::vector<float> values(static_cast<size_t>(weight.elements()));
        model.read(weight, 0, values);
      }
      expected_tensors(model.config(), "x");
      model.generation_config();
      model.unread_keys();
      ++accepted;
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::invalid) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(accepted, 10);
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace helio::checkpoint
