// Configs of every family: tests/fixtures/families, recorded by tools/record/families.py, where
// transformers gave equal logits from both spellings of each.
#include <algorithm>

#include "checkpoint/decoder_weights.h"
#include "checkpoint/hf_config.h"
#include "checkpoint_test.h"
#include "core/json.h"

namespace helio::checkpoint {
namespace {

using namespace testing;

fs::path family(const std::string& name) { return fixture("families") / name; }

std::vector<std::string> variants() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fixture("families")))
    if (entry.is_directory()) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The config of a variant, in transformers 4's spelling where `file` says so, with one key changed.
Json changed(const std::string& name, const std::string& key, const Json& value,
             const char* file = "config.json") {
  Json config = load_json(family(name) / file);
  config[key] = value;
  return config;
}
std::string refusal(const Json& config) {
  return error_of([&] { parse_decoder_config(config, "config.json"); });
}
std::string refusal_without(const std::string& name, const std::string& key,
                            const char* file = "config.json") {
  Json config = load_json(family(name) / file);
  EXPECT_TRUE(config.contains(key)) << name << " " << key;
  config.erase(key);
  return refusal(config);
}

class FamilyConfig : public ::testing::TestWithParam<std::string> {};

TEST_P(FamilyConfig, BothSpellingsSayTheSameAndSoDoesWhatWeWrite) {
  const auto five = load_decoder_config(family(GetParam()));
  const auto four = parse_decoder_config(load_json(family(GetParam()) / "config_v4.json"), "v4");
  const auto json = decoder_config_json(five);
  EXPECT_EQ(decoder_config_json(four), json);
  EXPECT_EQ(decoder_config_json(parse_decoder_config(Json::parse(json.dump()), "ours")), json);
  for (const char* only : {"rope_parameters", "rope_theta"}) {  // readers of one form alone
    Json half = Json::parse(json.dump());
    half.erase(only);
    if (std::string(only) == "rope_theta") {
      half.erase("rope_scaling");
      half.erase("rope_local_base_freq");
    }
    EXPECT_EQ(decoder_config_json(parse_decoder_config(half, only)), json) << only;
  }
}

TEST_P(FamilyConfig, WeightsAreTheFilesByNameShapeAndCount) {
  const auto config = load_decoder_config(family(GetParam()));
  const SafeTensors file(family(GetParam()));
  const auto weights = decoder_weights(config);
  int64_t elements = 0;
  for (const DecoderWeight& weight : weights) {
    const TensorInfo* found = file.find(weight.name);
    ASSERT_NE(found, nullptr) << weight.name;
    EXPECT_EQ(found->shape, weight.shape) << weight.name;
    elements += weight.elements();
  }
  EXPECT_EQ(weights.size(), file.tensors().size());
  EXPECT_EQ(config.parameters(), elements);
  if (config.experts.count == 0) EXPECT_EQ(config.active_parameters(), elements);
  else EXPECT_LT(config.active_parameters(), elements);
}

INSTANTIATE_TEST_SUITE_P(All, FamilyConfig, ::testing::ValuesIn(variants()),
                         [](const auto& info) { return info.param; });

TEST(Families, PublishedSizes) {
  // Parameters as the model cards and transformers count them; configs as published.
  const Json mixtral = Json::parse(
      R"({"architectures":["MixtralForCausalLM"],"model_type":"mixtral","hidden_act":"silu",
    "hidden_size":4096,"intermediate_size":14336,"max_position_embeddings":32768,"num_attention_heads":32,
    "num_hidden_layers":32,"num_key_value_heads":8,"num_local_experts":8,"num_experts_per_tok":2,
    "rms_norm_eps":1e-05,"rope_theta":1000000.0,"sliding_window":null,"tie_word_embeddings":false,
    "vocab_size":32000})");
  EXPECT_EQ(parse_decoder_config(mixtral, "m").parameters(), 46'702'792'704);
  EXPECT_EQ(parse_decoder_config(mixtral, "m").active_parameters(), 12'879'925'248);
  const Json gemma = Json::parse(
      R"({"architectures":["Gemma3ForCausalLM"],"model_type":"gemma3_text","attention_bias":false,
    "hidden_activation":"gelu_pytorch_tanh","head_dim":256,"hidden_size":640,"intermediate_size":2048,
    "max_position_embeddings":32768,"num_attention_heads":4,"num_hidden_layers":18,"num_key_value_heads":1,
    "query_pre_attn_scalar":256,"rms_norm_eps":1e-06,"rope_local_base_freq":10000.0,"rope_theta":1000000.0,
    "rope_scaling":null,"sliding_window":512,"vocab_size":262144})");
  const auto small = parse_decoder_config(gemma, "g");
  EXPECT_EQ(small.parameters(), 268'098'176);
  EXPECT_TRUE(small.slides(4) && !small.slides(5) && small.slides(6) && !small.slides(17));
}

TEST(Families, AMissingKeyThatChangesNumbersIsNamed) {
  const std::vector<std::pair<std::string, std::vector<const char*>>> needed = {
      {"mistral", {"sliding_window", "num_key_value_heads"}},
      {"qwen3", {"head_dim"}},
      {"gemma", {"head_dim", "hidden_act"}},
      {"gemma2",
       {"query_pre_attn_scalar", "attn_logit_softcapping", "final_logit_softcapping",
        "sliding_window", "hidden_activation"}},
      {"gemma3", {"query_pre_attn_scalar", "sliding_window"}},
      {"phi3", {"sliding_window"}},
      {"mixtral", {"num_local_experts", "num_experts_per_tok", "sliding_window"}},
      {"qwen3_moe", {"norm_topk_prob", "moe_intermediate_size", "num_experts_per_tok"}}};
  for (const auto& [name, keys] : needed)
    for (const char* key : keys)
      EXPECT_TRUE(contains(refusal_without(name, key), "'" + std::string(key) + "' is missing"))
          << name << ": " << refusal_without(name, key);
  EXPECT_TRUE(contains(refusal_without("gemma3", "rope_local_base_freq", "config_v4.json"),
                       "'rope_local_base_freq' is missing"));
  EXPECT_TRUE(
      contains(refusal_without("qwen3_moe", "num_local_experts"), "'num_experts' is missing"));
}

TEST(Families, WhatIsNotRunIsRefusedByName) {
  EXPECT_TRUE(contains(refusal(changed("gemma3", "use_bidirectional_attention", true)),
                       "'use_bidirectional_attention' is true"));
  EXPECT_TRUE(contains(refusal(changed("gemma3", "attn_logit_softcapping", 50.0)),
                       "'attn_logit_softcapping' is 50.0"));
  EXPECT_TRUE(contains(refusal(changed("gemma3", "hidden_activation", "gelu")),
                       "'hidden_activation' is \"gelu\""));
  EXPECT_TRUE(
      contains(refusal(changed("gemma3", "layer_types", {"full_attention"})), "a list of 4 kinds"));
  EXPECT_TRUE(
      contains(refusal(changed("gemma3", "rope_local_base_freq", 5000.0)), "say different things"));
  EXPECT_TRUE(contains(refusal(changed("qwen2", "use_sliding_window", false)), "'layer_types'"));
  EXPECT_TRUE(contains(
      refusal(changed("qwen3", "layer_types", {"full_attention", "linear_attention", "x"})),
      "'layer_types'"));
  EXPECT_TRUE(contains(refusal(changed("mistral", "layer_types",
                                       {"full_attention", "full_attention", "full_attention"})),
                       "what sliding_window says"));
  EXPECT_TRUE(contains(refusal(changed("llama_linear", "partial_rotary_factor", 0.5)),
                       "only Phi-3 rotates a part"));
  EXPECT_TRUE(contains(refusal(changed("phi3", "rope_scaling", {{"type", "linear"}, {"factor", 2}},
                                       "config_v4.json")),
                       "not supported for Phi-3"));
  EXPECT_TRUE(contains(
      refusal(changed("phi3_long", "rope_scaling",
                      {{"type", "longrope"}, {"short_factor", {1, 2}}, {"long_factor", {1, 2}}},
                      "config_v4.json")),
      "longrope has 2 factors for 6 frequencies"));
  EXPECT_TRUE(contains(refusal(changed("mixtral", "num_experts_per_tok", 5)), "5 of 4 experts"));
  EXPECT_TRUE(contains(refusal(changed("qwen3_moe", "num_hidden_layers", 200'000)), "layers"));
  EXPECT_TRUE(
      contains(refusal(changed("gemma3", "architectures", {"Gemma3ForConditionalGeneration"})),
               "Qwen3MoeForCausalLM"));
}

TEST(Families, SpellingsOfOldFiles) {
  // Phi-3's first name for longrope.
  Json su = load_json(family("phi3_long") / "config_v4.json");
  const auto expected = decoder_config_json(parse_decoder_config(su, "longrope"));
  su["rope_scaling"]["type"] = "su";
  EXPECT_EQ(decoder_config_json(parse_decoder_config(su, "su")), expected);
  // Gemma 1's first activation meant the tanh form.
  const auto gemma = parse_decoder_config(changed("gemma", "hidden_act", "gelu"), "gelu");
  EXPECT_EQ(gemma.activation, Activation::gelu_tanh);
  // A window that is said but not used.
  Json idle = changed("qwen2_yarn", "sliding_window", 4096);
  EXPECT_EQ(parse_decoder_config(idle, "idle").window, 0);
}

TEST(Families, HowLongASequenceMayBe) {
  EXPECT_EQ(load_decoder_config(family("llama_dynamic")).longest_sequence(), 128);
  EXPECT_EQ(load_decoder_config(family("llama_linear")).longest_sequence(), 128);
  Json yarn = load_json(family("qwen2_yarn") / "config.json");
  yarn["max_position_embeddings"] = 32;  // as Qwen's own instructions leave it
  EXPECT_EQ(parse_decoder_config(yarn, "yarn").longest_sequence(), 128);
}

}  // namespace
}  // namespace helio::checkpoint
