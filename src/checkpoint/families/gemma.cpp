// Gemma 1: Llama with 1 + w norms, a scaled embedding and GELU.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

void read(const ConfigKeys& keys, DecoderConfig& config) {
  // transformers 5 looks at hidden_act alone; files from before it may have both.
  read_gemma(keys, config, "hidden_act");
  read_rope(keys, config);
}

void write(const DecoderConfig& config, OrderedJson& json) {
  json["attention_bias"] = config.qkv_bias;
  json["hidden_activation"] = json["hidden_act"];
}

constexpr Family kGemma{
    .architecture = "GemmaForCausalLM", .model_type = "gemma", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kGemma)
}  // namespace helio::checkpoint
