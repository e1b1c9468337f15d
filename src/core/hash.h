// Content hashes. SHA-256 names artefacts and proves content; XXH3 is for tables and dedup.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace helio {

using Sha256 = std::array<uint8_t, 32>;

class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  Sha256Stream& update(std::string_view bytes);
  Sha256 digest();  // ends the stream
  std::string hex();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Sha256 sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& path);  // hex, streamed
std::string to_hex(std::string_view bytes);

uint64_t xxh3_64(std::string_view bytes, uint64_t seed = 0);
uint64_t xxh64(std::string_view bytes, uint64_t seed = 0);
struct Hash128 {
  uint64_t low = 0, high = 0;
  bool operator==(const Hash128&) const = default;
  auto operator<=>(const Hash128&) const = default;
};
Hash128 xxh3_128(std::string_view bytes);

}  // namespace helio
