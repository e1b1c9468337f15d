// The decoder of a model folder or GGUF file as generation and serving want it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "model/decoder.h"

namespace helio::model {

// `weights`: f32, bf16, int8, int4 (nn/packed_weight.h), or auto: bf16 where the folder holds its
// matrices so, which changes no number of theirs, else f32; of a GGUF file as most of its matrices
// are (BF16, Q8_0, Q4_0), int8 for other blocks (Q4_K, Q6_K ...), else f32. With dtype bfloat16
// matrices are bf16 and their products' other factors are rounded to it (WeightFormat::bf16_both),
// while sums, norms, attention and the cache are f32; int8 and int4 throw usage. `adapter`: see
// Decoder::load.
Decoder load_decoder_to_run(const std::filesystem::path& dir, std::string_view dtype,
                            std::string_view weights, const std::filesystem::path& adapter = {});

// The config of a model folder or GGUF file.
checkpoint::DecoderConfig load_config_to_run(const std::filesystem::path& dir);

// Bytes of memory that the weights of a model folder or GGUF file will take when loaded so, from
// its headers alone.
uint64_t weight_bytes_to_run(const std::filesystem::path& dir, std::string_view dtype,
                             std::string_view weights);

}  // namespace helio::model
