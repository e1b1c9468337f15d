#include "checkpoint/hf_config.h"

#include "checkpoint_test.h"

namespace helio::checkpoint {
namespace {

using namespace testing;

Json mistral_7b() {
  return Json::parse(
      R"({"architectures":["MistralForCausalLM"],"model_type":"mistral","hidden_act":"silu",
    "hidden_size":4096,"intermediate_size":14336,"max_position_embeddings":32768,"num_attention_heads":32,
    "num_hidden_layers":32,"num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_theta":10000.0,
    "sliding_window":null,"tie_word_embeddings":false,"torch_dtype":"bfloat16","vocab_size":32000,
    "bos_token_id":1,"eos_token_id":2,"initializer_range":0.02})");
}
std::string refusal(const Json& config) {
  return error_of([&] { parse_decoder_config(config, "config.json"); });
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(HfConfig, Transformers4And5SayTheSame) {
  for (const char* name : {"gqa_untied", "tied_theta", "llama3_rope", "bf16"}) {
    const fs::path dir = fixture("llama_tiny") / name;
    const auto five = load_decoder_config(dir);
    const auto four = parse_decoder_config(load_json(dir / "config_v4.json"), "v4");
    EXPECT_EQ(decoder_config_json(five), decoder_config_json(four)) << name;
    EXPECT_EQ(five.dtype, std::string(name) == "bf16" ? "bfloat16" : "float32");
  }
  const auto rope = load_decoder_config(fixture("llama_tiny/llama3_rope")).rope;
  EXPECT_EQ(rope.type, "llama3");
  EXPECT_EQ(rope.factor, 8);
  EXPECT_EQ(rope.original_max_position, 64);
}

TEST(HfConfig, CountsTheParametersTheFilesHave) {
  for (const char* name :
       {"llama_tiny/gqa_untied", "llama_tiny/tied_theta", "llama_tiny/llama3_rope",
        "dus_tiny/f32/input", "dus_tiny/f32_tied/expected"}) {
    int64_t in_file = 0;
    const SafeTensors weights(fixture(name));
    for (const auto& tensor : weights.tensors()) in_file += tensor.elements();
    EXPECT_EQ(load_decoder_config(fixture(name)).parameters(), in_file) << name;
  }
  EXPECT_EQ(parse_decoder_config(mistral_7b(), "m").parameters(), 7'241'732'096);
  EXPECT_EQ(parse_decoder_config(mistral_7b(), "m").parameters_per_layer(), 218'112'000);
}

TEST(HfConfig, WhatWeWriteWeReadAndBothTransformersCan) {
  for (const char* name : {"gqa_untied", "tied_theta", "llama3_rope"}) {
    const auto config = load_decoder_config(fixture("llama_tiny") / name);
    const auto json = decoder_config_json(config);
    EXPECT_EQ(decoder_config_json(parse_decoder_config(Json::parse(json.dump()), "ours")), json);
    EXPECT_EQ(json["rope_theta"], json["rope_parameters"]["rope_theta"]);
    EXPECT_EQ(json["dtype"], json["torch_dtype"]);
    // Each half alone is enough, as for a reader that knows only its own keys.
    Json old_keys = Json::parse(json.dump()), new_keys = old_keys;
    old_keys.erase("rope_parameters");
    new_keys.erase("rope_theta");
    new_keys.erase("rope_scaling");
    EXPECT_EQ(decoder_config_json(parse_decoder_config(old_keys, "old")), json);
    EXPECT_EQ(decoder_config_json(parse_decoder_config(new_keys, "new")), json);
  }
  const auto mistral = decoder_config_json(parse_decoder_config(mistral_7b(), "m"));
  EXPECT_EQ(mistral["model_type"], "mistral");
  EXPECT_TRUE(mistral.contains("sliding_window") && mistral["sliding_window"].is_null());
}

TEST(HfConfig, AMissingKeyThatChangesNumbersIsNamed) {
  for (const char* key :
       {"architectures", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
        "num_attention_heads", "rms_norm_eps", "hidden_act", "max_position_embeddings",
        "rope_theta", "tie_word_embeddings", "num_key_value_heads", "sliding_window"}) {
    Json config = mistral_7b();
    config.erase(key);
    EXPECT_TRUE(contains(refusal(config), "'" + std::string(key) + "' is missing"))
        << refusal(config);
    EXPECT_TRUE(contains(refusal(config), "hint: ")) << key;
  }
}

TEST(HfConfig, OlderLlamasMayLeaveOutWhatFollows) {
  Json config = mistral_7b();
  config["architectures"] = {"LlamaForCausalLM"};
  config["model_type"] = "llama";
  config.erase("sliding_window");
  config.erase("num_key_value_heads");
  config.erase("torch_dtype");
  config["pad_token_id"] = -1;
  config["eos_token_id"] = {128001, 128008};
  const auto parsed = parse_decoder_config(config, "old");
  EXPECT_EQ(parsed.kv_heads, 32);
  EXPECT_EQ(parsed.head_dim, 128);
  EXPECT_EQ(parsed.eos, 128001);
  EXPECT_FALSE(parsed.pad.has_value());
  EXPECT_EQ(parsed.dtype, "float32");
}

TEST(HfConfig, ModelsWeDoNotRunAreRefusedByName) {
  const auto with = [](const char* key, const Json& value) {
    Json config = mistral_7b();
    config[key] = value;
    return refusal(config);
  };
  EXPECT_TRUE(
      contains(with("architectures", {"GPT2LMHeadModel"}), "'GPT2LMHeadModel' is not supported"));
  EXPECT_TRUE(contains(with("architectures", {"GPT2LMHeadModel"}), "LlamaForCausalLM"));
  EXPECT_TRUE(contains(with("sliding_window", "4096"), "'sliding_window' is \"4096\""));
  EXPECT_TRUE(contains(with("hidden_act", "gelu"), "'hidden_act' is \"gelu\""));
  EXPECT_TRUE(contains(with("quantization_config", Json::object()), "quantised"));
  EXPECT_TRUE(
      contains(with("rope_scaling", {{"type", "mrope"}, {"factor", 2}}), "rope type 'mrope'"));
  EXPECT_TRUE(contains(with("rope_scaling", {{"type", "yarn"}, {"factor", 2}}),
                       "'rope_scaling.original_max_position_embeddings' is missing"));
  EXPECT_TRUE(
      contains(with("rope_scaling", {{"type", "linear"}}), "'rope_scaling.factor' is missing"));
  EXPECT_TRUE(contains(with("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5e5}}),
                       "say different things"));
  EXPECT_TRUE(contains(with("layer_types", {"sliding_attention"}), "'layer_types'"));
  EXPECT_TRUE(contains(with("model_type", "llama"), "'model_type'"));
}

TEST(HfConfig, NonsenseIsAnErrorNotANumber) {
  const auto with = [](const char* key, const Json& value) {
    Json config = mistral_7b();
    config[key] = value;
    return refusal(config);
  };
  EXPECT_TRUE(
      contains(with("hidden_size", "4096"), "'hidden_size' is \"4096\", not a whole number"));
  EXPECT_TRUE(contains(with("hidden_size", 4096.5), "'hidden_size'"));
  EXPECT_TRUE(contains(with("vocab_size", 0), "'vocab_size' is 0"));
  EXPECT_TRUE(contains(with("vocab_size", 18446744073709551615ULL), "'vocab_size'"));
  EXPECT_TRUE(contains(with("num_hidden_layers", -1), "'num_hidden_layers' is -1"));
  EXPECT_TRUE(contains(with("num_key_value_heads", 5), "32 attention heads cannot share 5"));
  EXPECT_TRUE(contains(with("head_dim", 3), "head_dim 3 is odd"));
  EXPECT_TRUE(contains(with("num_attention_heads", 24), "hidden_size 4096 is no multiple of 24"));
  EXPECT_TRUE(contains(with("rms_norm_eps", 0), "'rms_norm_eps' is 0"));
  EXPECT_TRUE(contains(with("tie_word_embeddings", "no"), "'tie_word_embeddings'"));
  EXPECT_TRUE(contains(with("hidden_size", int64_t(1) << 30), "parameters"));
  EXPECT_TRUE(contains(refusal(Json::array()), "the file is not a JSON object"));
  EXPECT_TRUE(contains(with("rope_scaling", "linear"), "rope_scaling is not a JSON object"));
  EXPECT_TRUE(contains(error_of([] { parse_json("{\"rope_theta\": 1e999}", "c"); }), "too large"));
  EXPECT_EQ(kind_of([] { load_decoder_config("/nonexistent"); }), ErrorKind::not_found);
}

}  // namespace
}  // namespace helio::checkpoint
