#include "data/read/zip.h"

#include <zlib.h>

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "data/read/encoding.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

constexpr uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr uint32_t kEntry = 0x02014b50, kLocal = 0x04034b50;
// A directory larger than this names more members than a source may have.
constexpr uint64_t kMaxDirectory = uint64_t(512) << 20;

uint64_t number(std::string_view bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i)
    value |= uint64_t(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}
uint16_t u16(std::string_view b, size_t at) { return static_cast<uint16_t>(number(b, at, 2)); }
uint32_t u32(std::string_view b, size_t at) { return static_cast<uint32_t>(number(b, at, 4)); }
uint64_t u64(std::string_view b, size_t at) { return number(b, at, 8); }

[[noreturn]] void damaged(const std::string& what) {
  throw Error(ErrorKind::invalid, "not a valid zip archive: " + what)
      .with_hint("the file is damaged or was cut short; fetch or make it again");
}

std::string part(const fs::path& path, uint64_t begin, uint64_t size) {
  const Stream file = open_file(path, nullptr, begin, size);
  return read_all(*file, static_cast<size_t>(size));
}

struct Directory {
  uint64_t begin = 0, size = 0;
};

Directory find_directory(const fs::path& path, uint64_t file_size) {
  const uint64_t tail_size = std::min<uint64_t>(file_size, 22 + 65535 + 20);
  const std::string tail = part(path, file_size - tail_size, tail_size);
  for (size_t at = tail.size() < 22 ? 0 : tail.size() - 22 + 1; at-- > 0;) {
    if (u32(tail, at) != kEnd || at + 22 + u16(tail, at + 20) > tail.size()) continue;
    Directory found{u32(tail, at + 16), u32(tail, at + 12)};
    const bool large =
        found.begin == UINT32_MAX || found.size == UINT32_MAX || u16(tail, at + 10) == UINT16_MAX;
    if (large && at >= 20 && u32(tail, at - 20) == kLocator64) {
      const uint64_t end64 = u64(tail, at - 20 + 8);
      if (end64 > file_size || file_size - end64 < 56) damaged("its zip64 record is not there");
      const std::string record = part(path, end64, 56);
      if (record.size() < 56 || u32(record, 0) != kEnd64) damaged("its zip64 record is not there");
      found = {u64(record, 48), u64(record, 40)};
    }
    if (found.begin > file_size || found.size > file_size - found.begin)
      damaged("its directory lies outside the file");
    if (found.size > kMaxDirectory) damaged("its directory is too large");
    return found;
  }
  damaged("it has no directory");
}

// Sizes and offsets beyond 32 bits stand in an extra field, in this order, only those needed.
void read_zip64(std::string_view extra, ZipMember& member) {
  for (size_t at = 0; at + 4 <= extra.size();) {
    const uint16_t id = u16(extra, at), size = u16(extra, at + 2);
    at += 4;
    if (at + size > extra.size()) return;
    if (id == 1) {
      size_t from = at;
      for (uint64_t* value : {&member.size, &member.compressed, &member.header})
        if (*value == UINT32_MAX) {
          if (from + 8 > at + size) damaged("a zip64 size is missing");
          *value = u64(extra, from);
          from += 8;
        }
      return;
    }
    at += size;
  }
}

// Names without the UTF-8 mark are in the packer's own encoding: on Korean Windows CP949.
std::string name_in_utf8(std::string_view raw) {
  std::string name;
  if (auto known = to_utf8(raw, Encoding::unknown)) name = std::move(*known);
  else name = text::repair_utf8(raw);
  std::replace(name.begin(), name.end(), '\\', '/');
  std::replace(name.begin(), name.end(), '\0', '_');
  return name;
}

bool is_litter(std::string_view name) {
  return name.ends_with('/') || name.starts_with("__MACOSX/") || name.ends_with(".DS_Store");
}

// Ends with an error when the bytes are more, fewer or others than promised.
class CheckedStream final : public ByteStream {
 public:
  CheckedStream(Stream source, const ZipMember& member)
      : source_(std::move(source)), left_(member.size), want_(member.crc) {}
  size_t read(char* to, size_t size) override {
    const size_t n = source_->read(to, size);
    if (n > left_) damaged("a member is longer than its directory says");
    left_ -= n;
    if (n > 0) {
      crc_ = crc32_z(crc_, reinterpret_cast<const Bytef*>(to), n);
      return n;
    }
    if (left_ > 0) damaged("a member is shorter than its directory says");
    if (crc_ != want_) damaged("a member's checksum does not fit its bytes");
    return 0;
  }

 private:
  Stream source_;
  uint64_t left_;
  uint32_t want_;
  uLong crc_ = 0;
};

}  // namespace

std::vector<ZipMember> list_zip(const std::filesystem::path& path) {
  const uint64_t file_size = fs::file_size(path);
  const Directory where = find_directory(path, file_size);
  const std::string all = part(path, where.begin, where.size);
  const std::string_view bytes = all;
  std::vector<ZipMember> members;
  for (size_t at = 0; at < bytes.size();) {
    if (bytes.size() - at < 46 || u32(bytes, at) != kEntry) damaged("its directory is broken");
    ZipMember member{.name = {},
                     .method = u16(bytes, at + 10),
                     .flags = u16(bytes, at + 8),
                     .crc = u32(bytes, at + 16),
                     .compressed = u32(bytes, at + 20),
                     .size = u32(bytes, at + 24),
                     .header = u32(bytes, at + 42)};
    const size_t name = u16(bytes, at + 28), extra = u16(bytes, at + 30),
                 comment = u16(bytes, at + 32);
    at += 46;
    if (bytes.size() - at < name + extra + comment) damaged("its directory is broken");
    read_zip64(bytes.substr(at + name, extra), member);
    member.name = name_in_utf8(bytes.substr(at, name));
    at += name + extra + comment;
    if (member.header > file_size || member.compressed > file_size)
      damaged("a member lies outside the file");
    if (!is_litter(member.name)) members.push_back(std::move(member));
  }
  return members;
}

Stream open_zip_member(const std::filesystem::path& path, const ZipMember& member,
                       std::atomic<uint64_t>* consumed) {
  if (member.flags & 1) throw Error(ErrorKind::invalid, "it is encrypted");
  const std::string local = part(path, member.header, 30);
  if (local.size() < 30 || u32(local, 0) != kLocal) damaged("a member is not where it should be");
  const uint64_t begin = member.header + 30 + u16(local, 26) + u16(local, 28);
  Stream bytes = open_file(path, consumed, begin, member.compressed);
  Codec codec = Codec::none;
  switch (member.method) {
    case 0:
      break;
    case 8:
      codec = Codec::bare_deflate;
      break;
    case 12:
      codec = Codec::bzip2;
      break;
    case 93:
      codec = Codec::zstd;
      break;
    case 95:
      codec = Codec::xz;
      break;
    default:
      throw Error(ErrorKind::invalid, "it is packed by method " + std::to_string(member.method) +
                                          ", which is not known");
  }
  return std::make_unique<CheckedStream>(decoded(std::move(bytes), codec), member);
}

}  // namespace helio::data
