// Bytes in order, from a file, a part of one, memory or a decoder on top of another stream.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace helio::data {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Up to `size` bytes (size > 0); 0 at the end. Error{invalid} that says what is wrong with
  // damaged data, not where: the caller knows that.
  virtual size_t read(char* to, size_t size) = 0;
};

using Stream = std::unique_ptr<ByteStream>;

// [begin, begin + size) of a file, or all of it. What was read is added to *consumed when given.
Stream open_file(const std::filesystem::path& path, std::atomic<uint64_t>* consumed = nullptr,
                 uint64_t begin = 0, uint64_t size = UINT64_MAX);
Stream from_memory(std::string bytes);

// A stream whose first bytes can be looked at before they are read.
class PeekStream final : public ByteStream {
 public:
  explicit PeekStream(Stream source) : source_(std::move(source)) {}
  // The first bytes not yet read, at most `size` (fewer at the end of the data).
  std::string_view peek(size_t size);
  size_t read(char* to, size_t size) override;

 private:
  Stream source_;
  std::string head_ = {};
  size_t at_ = 0;
};

enum class Codec { none, gzip, deflate, bare_deflate, zstd, bzip2, xz };
Codec codec_of(std::string_view first_bytes);
// `deflate` is what web servers send under that name: zlib's format or, when the first bytes are
// not such, the bare one that zip members use.
Stream decoded(Stream source, Codec codec);
// Decoded as often as the first bytes ask for it, at most twice.
Stream decompressed(Stream source);

// Everything a stream holds, at most `limit` bytes: Error{invalid} beyond.
std::string read_all(ByteStream& stream, size_t limit);

}  // namespace helio::data
