// Mistral 7B and its descendants: Llama, with a window in version 0.1.
#include "checkpoint/family.h"

namespace helio::checkpoint {
namespace {

void read(const ConfigKeys& keys, DecoderConfig& config) {
  read_tied(keys, config);
  read_silu(keys, config);
  read_heads(keys, config);  // Mistral's own default is not as many as heads
  read_head_dim_or_share(keys, config);
  read_window_everywhere(keys, config);
  read_rope(keys, config);
}

void write(const DecoderConfig& config, OrderedJson& json) {
  json["sliding_window"] = window_json(config);
}

constexpr Family kMistral{
    .architecture = "MistralForCausalLM", .model_type = "mistral", .read = read, .write = write};

}  // namespace
HELIO_FAMILY(kMistral)
}  // namespace helio::checkpoint
