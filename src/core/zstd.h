// Whole buffers through zstd; for streams of lines see core/lines.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace helio {

// Appends one frame. The bytes depend only on the input and the level.
void zstd_append(std::string& out, std::string_view bytes, int level);

// All frames of `bytes`, one after the other. More than `limit` bytes, or a corrupt or truncated
// frame, is Error{invalid}, which names `source`.
std::string zstd_expand(std::string_view bytes, const std::string& source,
                        uint64_t limit = uint64_t(4) << 30);

// Bytes of the first frame of `bytes`. Error{invalid} when it is no whole frame.
size_t zstd_frame_size(std::string_view bytes, const std::string& source);

}  // namespace helio
