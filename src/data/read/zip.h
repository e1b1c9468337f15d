// Zip archives: what is in them, and their members as streams. Every offset, size and checksum is
// checked; nothing is unpacked to disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/read/byte_stream.h"

namespace helio::data {

struct ZipMember {
  std::string name = {};  // UTF-8, '/' separators
  uint16_t method = 0, flags = 0;
  uint32_t crc = 0;
  uint64_t compressed = 0, size = 0, header = 0;  // header: where its local header stands
};

// Its files (no folders, none of what macOS adds), as the central directory lists them.
// Error{invalid} on an archive that is damaged.
std::vector<ZipMember> list_zip(const std::filesystem::path& path);

// Stored, deflate, bzip2, zstd or xz. Error{invalid} on another method, encryption, and, when read,
// on bytes that are not what the directory promises.
Stream open_zip_member(const std::filesystem::path& path, const ZipMember& member,
                       std::atomic<uint64_t>* consumed);

}  // namespace helio::data
