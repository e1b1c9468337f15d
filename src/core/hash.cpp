#include "core/hash.h"

#include <openssl/evp.h>

#define XXH_INLINE_ALL
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <vector>

#include "core/error.h"

namespace helio {

struct Sha256Stream::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Impl() {
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1)
      throw Error(ErrorKind::failed, "SHA-256 is not available from OpenSSL");
  }
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256Stream::Sha256Stream() : impl_(std::make_unique<Impl>()) {}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

Sha256Stream& Sha256Stream::update(std::string_view bytes) {
  EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size());
  return *this;
}

Sha256 Sha256Stream::digest() {
  Sha256 out = {};
  unsigned size = 0;
  EVP_DigestFinal_ex(impl_->context, out.data(), &size);
  return out;
}

std::string Sha256Stream::hex() {
  const Sha256 bytes = digest();
  return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Sha256 sha256(std::string_view bytes) { return Sha256Stream().update(bytes).digest(); }
std::string sha256_hex(std::string_view bytes) { return Sha256Stream().update(bytes).hex(); }

std::string sha256_file(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw system_error("cannot open '" + path.string() + "'", errno);
  Sha256Stream stream;
  std::vector<char> chunk(size_t(1) << 20);
  for (;;) {
    const ssize_t n = read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int problem = errno;
      close(fd);
      throw system_error("cannot read '" + path.string() + "'", problem);
    }
    if (n == 0) break;
    stream.update({chunk.data(), static_cast<size_t>(n)});
  }
  close(fd);
  return stream.hex();
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

uint64_t xxh3_64(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}
uint64_t xxh64(std::string_view bytes, uint64_t seed) {
  return XXH64(bytes.data(), bytes.size(), seed);
}
Hash128 xxh3_128(std::string_view bytes) {
  const XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
  return {.low = h.low64, .high = h.high64};
}

}  // namespace helio
