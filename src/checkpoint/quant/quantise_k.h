// The super-block types: a search for the scales of each group of a block.
#pragma once

#include <cstdint>

namespace helio::checkpoint {

// 256 finite values to one block of 144, 176 or 210 bytes.
void encode_q4_k(const float* values, uint8_t* out);
void encode_q5_k(const float* values, uint8_t* out);
void encode_q6_k(const float* values, uint8_t* out);

}  // namespace helio::checkpoint
