#include "core/zstd.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

#include "core/error.h"

namespace helio {
namespace {

struct FreeCompress {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeExpand {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

void zstd_append(std::string& out, std::string_view bytes, int level) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeCompress> context(ZSTD_createCCtx());
  // Not in `out` itself: the bound is larger than the bytes, and would be cleared and kept.
  const size_t bound = ZSTD_compressBound(bytes.size());
  const auto frame = std::make_unique_for_overwrite<char[]>(bound);
  const size_t size =
      ZSTD_compressCCtx(context.get(), frame.get(), bound, bytes.data(), bytes.size(), level);
  HELIO_CHECK(!ZSTD_isError(size), std::string("zstd: ") + ZSTD_getErrorName(size));
  out.append(frame.get(), size);
}

std::string zstd_expand(std::string_view bytes, const std::string& source, uint64_t limit) {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeExpand> context(ZSTD_createDCtx());
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  std::string out;
  // A frame that says how much it holds is expanded at one go, if that can be true: the statement
  // of a broken one costs no more than a few times its size.
  const uint64_t stated = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  const uint64_t first = stated <= 64 * uint64_t(bytes.size()) + 64 ? stated : 0;
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  size_t left = 0;
  const auto broken = [&](const std::string& what) {
    return Error(ErrorKind::invalid, source + ": " + what);
  };
  while (in.pos < in.size || left != 0) {
    const size_t had = out.size();
    if (had >= limit) throw broken("expands to more than " + std::to_string(limit) + " bytes");
    const uint64_t more =
        in.pos == 0 && first > 0 ? first : std::max<uint64_t>(ZSTD_DStreamOutSize(), had);
    out.resize(std::min<uint64_t>(limit, had + more));
    ZSTD_outBuffer to{out.data() + had, out.size() - had, 0};
    const size_t read = in.pos;
    left = ZSTD_decompressStream(context.get(), &to, &in);
    out.resize(had + to.pos);
    if (ZSTD_isError(left))
      throw broken(std::string("corrupt zstd data: ") + ZSTD_getErrorName(left));
    if (left != 0 && in.pos == in.size && in.pos == read && to.pos == 0)
      throw broken("truncated zstd data");
  }
  return out;
}

size_t zstd_frame_size(std::string_view bytes, const std::string& source) {
  const size_t size = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size());
  if (ZSTD_isError(size)) throw Error(ErrorKind::invalid, source + ": corrupt zstd data");
  return size;
}

}  // namespace helio
