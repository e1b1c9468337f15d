#include "core/lines.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"

namespace helio {
namespace {

constexpr size_t kChunk = size_t(256) << 10;

enum class Coding { plain, gzip, zstd };

}  // namespace

struct LineReader::Impl {
  fs::path path;
  size_t max_line;
  int fd = -1;
  Coding coding = Coding::plain;
  uint64_t read_bytes = 0, total = 0;
  std::vector<char> raw = std::vector<char>(kChunk);
  size_t raw_begin = 0, raw_end = 0;
  bool file_ended = false, stream_open = false, ended = false;
  z_stream gzip = {};
  ZSTD_DCtx* zstd = nullptr;
  std::string text;  // decoded bytes not yet handed out
  size_t text_begin = 0, scanned = 0;
  int64_t line_number = 0;

  Impl(fs::path p, size_t longest) : path(std::move(p)), max_line(longest) {
    fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw system_error("cannot open '" + path.string() + "'", errno);
    if (fs::is_directory(path)) {
      close(fd);
      throw Error(ErrorKind::invalid, "'" + path.string() + "' is a folder, not a file");
    }
    std::error_code ignored;
    total = fs::file_size(path, ignored);
    fill();
    const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
    if (raw_end >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
      coding = Coding::gzip;
      inflateInit2(&gzip, 15 + 16);
    } else if (raw_end >= 4 && bytes[0] == 0x28 && bytes[1] == 0xb5 && bytes[2] == 0x2f &&
               bytes[3] == 0xfd) {
      coding = Coding::zstd;
      zstd = ZSTD_createDCtx();
      ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, 27);
    }
  }
  ~Impl() {
    if (coding == Coding::gzip) inflateEnd(&gzip);
    ZSTD_freeDCtx(zstd);
    if (fd >= 0) close(fd);
  }

  [[noreturn]] void corrupt(const std::string& what) const {
    throw Error(ErrorKind::invalid,
                "'" + path.string() + "': " + what + " after line " + std::to_string(line_number))
        .with_hint("the file is damaged or was cut short; fetch or make it again");
  }

  void fill() {
    if (raw_begin < raw_end || file_ended) return;
    raw_begin = 0;
    for (;;) {
      const ssize_t n = ::read(fd, raw.data(), raw.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw system_error("cannot read '" + path.string() + "'", errno);
      raw_end = static_cast<size_t>(n);
      read_bytes += raw_end;
      file_ended = n == 0;
      return;
    }
  }

  // Appends decoded bytes to `text`; sets `ended` at the end.
  void decode() {
    fill();
    if (raw_begin == raw_end) {
      if (stream_open) corrupt("the compressed data ends too early");
      ended = true;
      return;
    }
    if (coding == Coding::plain) {
      text.append(raw.data() + raw_begin, raw_end - raw_begin);
      raw_begin = raw_end;
      return;
    }
    const size_t old = text.size();
    text.resize(old + kChunk);
    if (coding == Coding::gzip) {
      if (!stream_open) inflateReset(&gzip);  // several members one after another are one text
      stream_open = true;
      gzip.next_in = reinterpret_cast<Bytef*>(raw.data() + raw_begin);
      gzip.avail_in = static_cast<uInt>(raw_end - raw_begin);
      gzip.next_out = reinterpret_cast<Bytef*>(text.data() + old);
      gzip.avail_out = static_cast<uInt>(kChunk);
      const int status = inflate(&gzip, Z_NO_FLUSH);
      raw_begin = raw_end - gzip.avail_in;
      text.resize(old + kChunk - gzip.avail_out);
      if (status == Z_STREAM_END) stream_open = false;
      else if (status != Z_OK && status != Z_BUF_ERROR) corrupt("not valid gzip data");
    } else {
      stream_open = true;
      ZSTD_inBuffer in{raw.data(), raw_end, raw_begin};
      ZSTD_outBuffer out{text.data() + old, kChunk, 0};
      const size_t status = ZSTD_decompressStream(zstd, &out, &in);
      if (ZSTD_isError(status))
        corrupt(std::string("not valid zstd data: ") + ZSTD_getErrorName(status));
      raw_begin = in.pos;
      text.resize(old + out.pos);
      stream_open = status != 0;
    }
  }
};

LineReader::LineReader(std::filesystem::path path, size_t max_line)
    : impl_(std::make_unique<Impl>(std::move(path), max_line)) {}
LineReader::~LineReader() = default;

bool LineReader::next(std::string_view& line) {
  Impl& in = *impl_;
  for (;;) {
    const size_t at = in.text.find('\n', std::max(in.text_begin, in.scanned));
    if (at != std::string::npos) {
      size_t end = at;
      if (end > in.text_begin && in.text[end - 1] == '\r') --end;
      line = std::string_view(in.text).substr(in.text_begin, end - in.text_begin);
      in.text_begin = in.scanned = at + 1;
      ++in.line_number;
      return true;
    }
    in.scanned = in.text.size();
    if (in.text.size() - in.text_begin > in.max_line)
      throw Error(ErrorKind::invalid, in.path.string() + ":" + std::to_string(in.line_number + 1) +
                                          ": a line longer than " +
                                          std::to_string(in.max_line >> 20) + " MiB");
    if (in.ended) {
      if (in.text_begin == in.text.size()) return false;
      line = std::string_view(in.text).substr(in.text_begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      in.text_begin = in.text.size();
      ++in.line_number;
      return true;
    }
    if (in.text_begin > 0) {  // keep the buffer small: only the unfinished line stays
      in.text.erase(0, in.text_begin);
      in.scanned -= in.text_begin;
      in.text_begin = 0;
    }
    in.decode();
  }
}

int64_t LineReader::number() const { return impl_->line_number; }
uint64_t LineReader::bytes_read() const {
  return impl_->read_bytes - (impl_->raw_end - impl_->raw_begin);
}
uint64_t LineReader::bytes_total() const { return impl_->total; }

void read_jsonl(const std::filesystem::path& path,
                const std::function<void(const nlohmann::json& row, int64_t line)>& row) {
  LineReader reader(path);
  std::string_view line;
  while (reader.next(line)) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    Json json;
    try {
      json = parse_json(line, path.string());
    } catch (const Error& problem) {
      // parse_json counts lines within the text it saw: put the file's line number in.
      const std::string head = path.string() + ":1:";
      std::string what = problem.message();
      if (what.starts_with(head))
        what =
            path.string() + ":" + std::to_string(reader.number()) + ":" + what.substr(head.size());
      throw Error(ErrorKind::invalid, what);
    }
    row(json, reader.number());
  }
}

struct LineWriter::Impl {
  AtomicFile file;
  ZSTD_CCtx* zstd = nullptr;
  std::vector<char> out = std::vector<char>(ZSTD_CStreamOutSize());

  explicit Impl(const fs::path& path) : file(path) {
    if (path.extension() == ".zst") {
      zstd = ZSTD_createCCtx();
      ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 3);
      ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    }
  }
  ~Impl() { ZSTD_freeCCtx(zstd); }

  void put(std::string_view bytes, ZSTD_EndDirective directive) {
    if (!zstd) {
      file.write(bytes);
      return;
    }
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer chunk{out.data(), out.size(), 0};
      const size_t left = ZSTD_compressStream2(zstd, &chunk, &in, directive);
      if (ZSTD_isError(left))
        throw Error(ErrorKind::failed, std::string("zstd: ") + ZSTD_getErrorName(left));
      file.write({out.data(), chunk.pos});
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) return;
    }
  }
};

LineWriter::LineWriter(std::filesystem::path path) : impl_(std::make_unique<Impl>(path)) {}
LineWriter::~LineWriter() = default;

void LineWriter::write(std::string_view line) {
  impl_->put(line, ZSTD_e_continue);
  impl_->put("\n", ZSTD_e_continue);
}

void LineWriter::commit() {
  impl_->put({}, ZSTD_e_end);
  impl_->file.commit();
}

}  // namespace helio
