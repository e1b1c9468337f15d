// gzip, zstd, bzip2 and xz, each also as several streams one after another.
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "data/read/byte_stream.h"

namespace helio::data {
namespace {

constexpr size_t kChunk = size_t(256) << 10;
// What a hostile file may ask the xz decoder to hold: four times what xz -9 needs.
constexpr uint64_t kXzMemory = uint64_t(256) << 20;

struct Step {
  const char* in;
  size_t in_left;
  char* out;
  size_t out_left;
};

[[noreturn]] void corrupt(const std::string& what) {
  throw Error(ErrorKind::invalid, what)
      .with_hint("the file is damaged or was cut short; fetch or make it again");
}

class CodecStream : public ByteStream {
 public:
  explicit CodecStream(Stream source) : source_(std::move(source)), in_(kChunk) {}

  size_t read(char* to, size_t size) final {
    for (;;) {
      if (begin_ == end_ && !pending_) {
        begin_ = 0;
        end_ = source_->read(in_.data(), in_.size());
        if (end_ == 0) {
          if (open_) corrupt("the compressed data ends too early");
          return 0;
        }
      }
      if (!open_) {
        // Tapes and some servers pad with zeros.
        while (begin_ < end_ && in_[begin_] == 0 && finished_once_) ++begin_;
        if (begin_ == end_) continue;
        begin();
        open_ = true;
      }
      Step step{in_.data() + begin_, end_ - begin_, to, size};
      const bool ended = advance(step);
      const size_t produced = size - step.out_left;
      const bool stuck = produced == 0 && step.in_left == end_ - begin_;
      begin_ = end_ - step.in_left;
      pending_ = !ended && step.out_left == 0;
      if (ended) open_ = false, finished_once_ = true;
      else if (stuck && begin_ < end_) corrupt("the compressed data makes no sense");
      if (produced > 0) return produced;
    }
  }

 protected:
  virtual void begin() = 0;
  virtual bool advance(Step& step) = 0;  // true when a stream has ended

 private:
  Stream source_;
  std::vector<char> in_;
  size_t begin_ = 0, end_ = 0;
  bool open_ = false, pending_ = false, finished_once_ = false;
};

class Inflate final : public CodecStream {
 public:
  Inflate(Stream source, int window_bits) : CodecStream(std::move(source)) {
    if (inflateInit2(&z_, window_bits) != Z_OK) throw std::bad_alloc();
  }
  ~Inflate() override { inflateEnd(&z_); }

 private:
  void begin() override { inflateReset(&z_); }
  bool advance(Step& step) override {
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(step.in));
    z_.avail_in = static_cast<uInt>(step.in_left);
    z_.next_out = reinterpret_cast<Bytef*>(step.out);
    z_.avail_out = static_cast<uInt>(std::min<size_t>(step.out_left, UINT32_MAX));
    const uInt room = z_.avail_out;
    const int status = inflate(&z_, Z_NO_FLUSH);
    step.in_left = z_.avail_in;
    step.out_left -= room - z_.avail_out;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      corrupt(std::string("not valid gzip data") + (z_.msg ? std::string(": ") + z_.msg : ""));
    return status == Z_STREAM_END;
  }
  z_stream z_ = {};
};

class Unzstd final : public CodecStream {
 public:
  explicit Unzstd(Stream source) : CodecStream(std::move(source)), context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, 27);
  }
  ~Unzstd() override { ZSTD_freeDCtx(context_); }

 private:
  void begin() override { ZSTD_DCtx_reset(context_, ZSTD_reset_session_only); }
  bool advance(Step& step) override {
    ZSTD_inBuffer in{step.in, step.in_left, 0};
    ZSTD_outBuffer out{step.out, step.out_left, 0};
    const size_t status = ZSTD_decompressStream(context_, &out, &in);
    if (ZSTD_isError(status))
      corrupt(std::string("not valid zstd data: ") + ZSTD_getErrorName(status));
    step.in_left -= in.pos;
    step.out_left -= out.pos;
    return status == 0;
  }
  ZSTD_DCtx* context_;
};

class Bunzip final : public CodecStream {
 public:
  using CodecStream::CodecStream;
  ~Bunzip() override { BZ2_bzDecompressEnd(&bz_); }

 private:
  void begin() override {
    BZ2_bzDecompressEnd(&bz_);
    bz_ = {};
    if (BZ2_bzDecompressInit(&bz_, 0, 0) != BZ_OK) throw std::bad_alloc();
  }
  bool advance(Step& step) override {
    bz_.next_in = const_cast<char*>(step.in);
    bz_.avail_in = static_cast<unsigned>(step.in_left);
    bz_.next_out = step.out;
    bz_.avail_out = static_cast<unsigned>(std::min<size_t>(step.out_left, UINT32_MAX));
    const unsigned room = bz_.avail_out;
    const int status = BZ2_bzDecompress(&bz_);
    step.in_left = bz_.avail_in;
    step.out_left -= room - bz_.avail_out;
    if (status != BZ_OK && status != BZ_STREAM_END) corrupt("not valid bzip2 data");
    return status == BZ_STREAM_END;
  }
  bz_stream bz_ = {};
};

class Unxz final : public CodecStream {
 public:
  using CodecStream::CodecStream;
  ~Unxz() override { lzma_end(&xz_); }

 private:
  void begin() override {
    if (lzma_stream_decoder(&xz_, kXzMemory, 0) != LZMA_OK) throw std::bad_alloc();
  }
  bool advance(Step& step) override {
    xz_.next_in = reinterpret_cast<const uint8_t*>(step.in);
    xz_.avail_in = step.in_left;
    xz_.next_out = reinterpret_cast<uint8_t*>(step.out);
    xz_.avail_out = step.out_left;
    const lzma_ret status = lzma_code(&xz_, LZMA_RUN);
    step.in_left = xz_.avail_in;
    step.out_left = xz_.avail_out;
    if (status == LZMA_MEMLIMIT_ERROR) corrupt("the xz data needs more memory than is allowed");
    if (status != LZMA_OK && status != LZMA_STREAM_END && status != LZMA_BUF_ERROR)
      corrupt("not valid xz data");
    return status == LZMA_STREAM_END;
  }
  lzma_stream xz_ = LZMA_STREAM_INIT;
};

}  // namespace

Codec codec_of(std::string_view b) {
  using namespace std::string_view_literals;
  if (b.starts_with("\x1f\x8b"sv)) return Codec::gzip;
  if (b.starts_with("\x28\xb5\x2f\xfd"sv)) return Codec::zstd;
  // zstd's frames that hold no data: parallel compressors begin with one.
  if (b.size() >= 4 && (b[0] & '\xf0') == '\x50' && b.substr(1, 3) == "\x2a\x4d\x18"sv)
    return Codec::zstd;
  if (b.starts_with("BZh"sv) && b.substr(0, 10).ends_with("\x31\x41\x59\x26\x53\x59"sv))
    return Codec::bzip2;
  if (b.starts_with("\xfd\x37\x7a\x58\x5a\x00"sv)) return Codec::xz;
  return Codec::none;
}

Stream decoded(Stream source, Codec codec) {
  switch (codec) {
    case Codec::none:
      return source;
    case Codec::gzip:
      return std::make_unique<Inflate>(std::move(source), 15 + 16);
    case Codec::deflate: {
      auto peeked = std::make_unique<PeekStream>(std::move(source));
      const std::string_view head = peeked->peek(2);
      const bool zlib =
          head.size() == 2 && (head[0] & 0x0f) == 8 &&
          (static_cast<unsigned char>(head[0]) * 256u + static_cast<unsigned char>(head[1])) % 31 ==
              0;
      return std::make_unique<Inflate>(std::move(peeked), zlib ? 15 : -15);
    }
    case Codec::bare_deflate:
      return std::make_unique<Inflate>(std::move(source), -15);
    case Codec::zstd:
      return std::make_unique<Unzstd>(std::move(source));
    case Codec::bzip2:
      return std::make_unique<Bunzip>(std::move(source));
    case Codec::xz:
      return std::make_unique<Unxz>(std::move(source));
  }
  return source;
}

Stream decompressed(Stream source) {
  for (int layer = 0; layer < 2; ++layer) {
    auto peeked = std::make_unique<PeekStream>(std::move(source));
    const Codec codec = codec_of(peeked->peek(10));
    if (codec == Codec::none) return peeked;
    source = decoded(std::move(peeked), codec);
  }
  return source;
}

}  // namespace helio::data
