#include "data/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/hash.h"

namespace helio::data {
namespace {

constexpr std::string_view kMagic = "HCHUNK1\n";

void put_number(std::string& out, uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_text(std::string& out, std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  HELIO_CHECK(text.size() <= UINT32_MAX, "a document of more than 4 GiB");
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += text;
}

class Taker {
 public:
  Taker(std::string_view bytes, const std::string& source) : rest_(bytes), source_(source) {}
  bool done() const { return rest_.empty(); }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(number<uint32_t>())); }

 private:
  std::string_view take(size_t size) {
    if (size > rest_.size())
      throw Error(ErrorKind::invalid, source_ + ": not a chunk of documents");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest_;
  const std::string& source_;
};

void write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0)
      throw Error(ErrorKind::failed,
                  "cannot write '" + path.string() + "': " + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
}

// Under a temporary name, then renamed. No fsync: after a power cut the hashes tell a torn file,
// and it is made again.
void write_whole(const fs::path& path, const std::vector<std::string_view>& pieces) {
  const fs::path temporary = temporary_beside(path);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0)
    throw Error(ErrorKind::failed, "cannot write '" + path.string() + "': " + std::strerror(errno));
  try {
    for (const std::string_view piece : pieces) write_all(fd, piece, path);
  } catch (...) {
    ::close(fd);
    ::unlink(temporary.c_str());
    throw;
  }
  ::close(fd);
  fs::rename(temporary, path);
}

constexpr std::string_view kPartsMagic = "HPARTS1\n";

struct PartPlace {
  uint64_t offset = 0, size = 0, hash = 0;  // from the file's start
};

// A file of parts, read at places.
class PartsReader {
 public:
  explicit PartsReader(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat info = {};
    if (fd_ >= 0 && ::fstat(fd_, &info) == 0) size_ = static_cast<uint64_t>(info.st_size);
    char head[16];
    if (!read(0, head, sizeof head) || !std::string_view(head, 8).starts_with(kPartsMagic)) return;
    std::memcpy(&count_, head + 8, 8);
  }
  ~PartsReader() {
    if (fd_ >= 0) ::close(fd_);
  }
  PartsReader(const PartsReader&) = delete;
  PartsReader& operator=(const PartsReader&) = delete;

  uint64_t size() const { return size_; }
  uint64_t count() const { return count_; }  // 0 for what is no file of parts

  // False when the file ends before.
  bool read(uint64_t at, char* to, uint64_t size) const {
    if (size > size_ || at > size_ - size) return false;
    while (size > 0) {
      const ssize_t n = ::pread(fd_, to, size, static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      at += static_cast<uint64_t>(n), to += n, size -= static_cast<uint64_t>(n);
    }
    return true;
  }

 private:
  int fd_;
  uint64_t size_ = 0, count_ = 0;
};

}  // namespace

void put_document(std::string& out, const Document& document) {
  for (const std::string* text :
       {&document.id, &document.text, &document.format, &document.lot, &document.partner,
        &document.licence, &document.language, &document.path, &document.url, &document.meta,
        &document.split, &document.cluster_id})
    put_text(out, *text);
  put_number(out, static_cast<uint64_t>(document.row));
  put_number(out, static_cast<uint64_t>(document.cluster));
  put_number(out, document.order);
  put_number(out, document.changed.size());
  for (const uint16_t step : document.changed) put_number(out, step);
  put_number(out, document.scores.size());
  for (const auto& [name, score] : document.scores) {
    put_text(out, name);
    out.append(reinterpret_cast<const char*>(&score), sizeof score);
  }
}

std::vector<Document> take_documents(std::string_view bytes, const std::string& source) {
  std::vector<Document> documents;
  Taker taker(bytes, source);
  while (!taker.done()) {
    Document& d = documents.emplace_back();
    for (std::string* text : {&d.id, &d.text, &d.format, &d.lot, &d.partner, &d.licence,
                              &d.language, &d.path, &d.url, &d.meta, &d.split, &d.cluster_id})
      *text = taker.text();
    d.row = taker.number<int64_t>();
    d.cluster = taker.number<int64_t>();
    d.order = taker.number<uint64_t>();
    for (uint64_t n = taker.number<uint64_t>(); n > 0; --n)
      d.changed.push_back(static_cast<uint16_t>(taker.number<uint64_t>()));
    for (uint64_t n = taker.number<uint64_t>(); n > 0; --n) {
      std::string name = taker.text();
      d.scores[std::move(name)] = taker.number<double>();
    }
  }
  return documents;
}

void ChunkWriter::add(const char* name, std::string bytes) {
  if (!bytes.empty()) sections_.emplace_back(name, std::move(bytes));
}

void ChunkWriter::write(const fs::path& path, const OrderedJson& facts) {
  OrderedJson sections = OrderedJson::object();
  uint64_t offset = 0;
  for (const auto& [name, bytes] : sections_) {
    sections[name] = {offset, bytes.size(), xxh3_64(bytes)};
    offset += bytes.size();
  }
  const std::string header = compact({{"sections", sections}, {"facts", facts}});
  std::string head(kMagic);
  put_number(head, header.size());
  head += header;
  put_number(head, xxh3_64(header));

  std::vector<std::string_view> pieces = {head};
  for (const auto& [name, bytes] : sections_) pieces.push_back(bytes);
  write_whole(path, pieces);
}

ChunkFile::ChunkFile(const fs::path& path) : path_(path), file_(path) {
  const auto broken = [&] {
    return Error(ErrorKind::invalid, "'" + path.string() + "' is torn")
        .with_hint("remove the folder; what it holds is made again");
  };
  const std::string_view text = file_.text();
  uint64_t size = 0, hash = 0;
  if (text.size() < kMagic.size() + 16 || !text.starts_with(kMagic)) throw broken();
  std::memcpy(&size, text.data() + kMagic.size(), 8);
  const size_t at = kMagic.size() + 8;
  if (size > text.size() - at - 8) throw broken();
  const std::string_view header = text.substr(at, size);
  std::memcpy(&hash, text.data() + at + size, 8);
  if (xxh3_64(header) != hash) throw broken();
  begin_ = at + size + 8;
  Json json = Json::parse(header);
  sections_ = std::move(json["sections"]);
  facts_ = std::move(json["facts"]);
  for (const auto& [name, place] : sections_.items()) {
    const auto offset = place.at(0).get<uint64_t>(), length = place.at(1).get<uint64_t>();
    if (offset > text.size() - begin_ || length > text.size() - begin_ - offset) throw broken();
  }
}

bool ChunkFile::has(const char* name) const { return sections_.contains(name); }

std::string_view ChunkFile::section(const char* name) const {
  const auto found = sections_.find(name);
  if (found == sections_.end()) return {};
  const std::string_view bytes =
      file_.text().substr(begin_ + (*found)[0].get<uint64_t>(), (*found)[1].get<uint64_t>());
  if (xxh3_64(bytes) != (*found)[2].get<uint64_t>())
    throw Error(ErrorKind::invalid, "'" + path_.string() + "' is damaged")
        .with_hint("remove the folder; what it holds is made again");
  return bytes;
}

bool chunk_is_there(const fs::path& path) {
  if (!fs::exists(path)) return false;
  try {
    const ChunkFile file(path);
    return true;
  } catch (const Error&) {
    fs::remove(path);
    return false;
  }
}

void write_parts(const fs::path& path, const std::vector<std::string>& parts) {
  std::string head(kPartsMagic);
  put_number(head, parts.size());
  uint64_t offset = head.size() + parts.size() * sizeof(PartPlace) + 8;
  for (const std::string& part : parts) {
    put_number(head, offset), put_number(head, part.size()), put_number(head, xxh3_64(part));
    offset += part.size();
  }
  put_number(head, xxh3_64(head));
  std::vector<std::string_view> pieces = {head};
  pieces.insert(pieces.end(), parts.begin(), parts.end());
  write_whole(path, pieces);
}

std::string read_part(const fs::path& path, size_t number) {
  const PartsReader file(path);
  PartPlace place;
  std::string bytes;
  bool whole =
      number < file.count() &&
      file.read(16 + number * sizeof place, reinterpret_cast<char*>(&place), sizeof place) &&
      place.size <= file.size();
  if (whole) {
    bytes.resize(place.size);
    whole = file.read(place.offset, bytes.data(), place.size) && xxh3_64(bytes) == place.hash;
  }
  if (!whole)
    throw Error(ErrorKind::invalid, "'" + path.string() + "' is damaged")
        .with_hint("remove the folder; what it holds is made again");
  return bytes;
}

bool parts_are_there(const fs::path& path, size_t count) {
  if (!fs::exists(path)) return false;
  const PartsReader file(path);
  std::string head(16 + count * sizeof(PartPlace) + 8, '\0');
  bool whole = file.count() == count && file.read(0, head.data(), head.size());
  if (whole) {
    uint64_t hash = 0, end = head.size();
    std::memcpy(&hash, head.data() + head.size() - 8, 8);
    head.resize(head.size() - 8);
    whole = xxh3_64(head) == hash;
    for (size_t at = 16; whole && at < head.size(); at += sizeof(PartPlace)) {
      PartPlace place;
      std::memcpy(&place, head.data() + at, sizeof place);
      end = place.offset + place.size;
    }
    whole = whole && end == file.size();
  }
  if (!whole) fs::remove(path);
  return whole;
}

}  // namespace helio::data
