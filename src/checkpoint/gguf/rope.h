// llama.cpp's rope_freqs.weight: the factors by which Llama 3's scaling divides each frequency.
// Source: Llama3Model.generate_extra_tensors in llama.cpp's convert_hf_to_gguf.py.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace helio::checkpoint {

struct Llama3Scaling {
  double factor = 8, low_freq_factor = 1, high_freq_factor = 4;
  int64_t original_max_position = 8192;
};

std::vector<float> llama3_factors(const Llama3Scaling& scaling, double theta, int64_t head_dim);

// The scaling that gives these factors; nothing when none of those in use does (to 1e-5).
std::optional<Llama3Scaling> find_llama3_scaling(std::span<const float> factors, double theta);

}  // namespace helio::checkpoint
