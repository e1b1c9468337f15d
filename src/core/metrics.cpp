#include "core/metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/fs.h"
#include "core/json.h"

namespace helio {
namespace {

double wall_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Appends to a file it keeps open; every append is one write call.
class AppendFile {
 public:
  explicit AppendFile(const fs::path& path) : path_(path) {
    fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) throw system_error("cannot write '" + path.string() + "'", errno);
  }
  ~AppendFile() { close(fd_); }
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw system_error("cannot write '" + path_.string() + "'", errno);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  void sync() { fsync(fd_); }

 private:
  fs::path path_;
  int fd_ = -1;
};

// Protocol buffers' wire format, as much of it as tensorboard's Event needs.
void put_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}
void put_key(std::string& out, int field, int wire) {
  put_varint(out, static_cast<uint64_t>(field << 3 | wire));
}
void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_key(out, field, 2);
  put_varint(out, bytes.size());
  out += bytes;
}
template <class T>
void put_fixed(std::string& out, int field, T value) {
  put_key(out, field, sizeof(T) == 8 ? 1 : 5);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string event(double wall_time, int64_t step, std::string_view summary,
                  std::string_view version) {
  std::string out;
  put_fixed(out, 1, wall_time);
  if (step) {
    put_key(out, 2, 0);
    put_varint(out, static_cast<uint64_t>(step));
  }
  if (!version.empty()) put_bytes(out, 3, version);
  if (!summary.empty()) put_bytes(out, 5, summary);
  return out;
}

std::string record(const std::string& data) {
  const auto masked = [](const void* bytes, size_t size) {
    const uint32_t crc = crc32c(bytes, size);
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
  };
  const uint64_t length = data.size();
  const uint32_t length_crc = masked(&length, sizeof length);
  const uint32_t data_crc = masked(data.data(), data.size());
  std::string out;
  out.append(reinterpret_cast<const char*>(&length), sizeof length);
  out.append(reinterpret_cast<const char*>(&length_crc), sizeof length_crc);
  out += data;
  out.append(reinterpret_cast<const char*>(&data_crc), sizeof data_crc);
  return out;
}

// Lines after the first begin with four spaces: Markdown's code block.
std::string with_indent(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out;
}

std::string tag(int64_t resume_step, double time) {
  char name[96];
  std::snprintf(name, sizeof name, "events.out.tfevents.%010lld.%d.%lld",
                static_cast<long long>(time), getpid(), static_cast<long long>(resume_step));
  return name;
}

}  // namespace

uint32_t crc32c(const void* data, size_t size) {
  static const auto table = [] {
    std::array<uint32_t, 256> t = {};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = c & 1 ? (c >> 1) ^ 0x82f63b78u : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  uint32_t crc = 0xffffffffu;
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (size_t i = 0; i < size; ++i) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >> 8);
  return crc ^ 0xffffffffu;
}

struct EventFile::Impl {
  AppendFile file;
};

EventFile::EventFile(const fs::path& dir, double wall_time)
    : impl_(new Impl{AppendFile(dir / tag(0, wall_time))}) {
  impl_->file.append(record(event(wall_time, 0, {}, "brain.Event:2")));
}
EventFile::~EventFile() = default;

void EventFile::scalars(double wall_time, int64_t step, const Scalars& scalars) {
  std::string summary;
  for (const auto& [name, value] : scalars) {
    std::string entry;
    put_bytes(entry, 1, name);
    put_fixed(entry, 2, static_cast<float>(value));
    put_bytes(summary, 1, entry);
  }
  impl_->file.append(record(event(wall_time, step, summary, {})));
}
void EventFile::text(double wall_time, int64_t step, const std::string& tag,
                     const std::string& markdown) {
  constexpr int kString = 7;  // tensorflow's DT_STRING
  std::string plugin, metadata, dimension, shape, tensor, value, summary;
  put_bytes(plugin, 1, "text");
  put_bytes(metadata, 1, plugin);
  put_key(dimension, 1, 0);
  put_varint(dimension, 1);
  put_bytes(shape, 2, dimension);
  put_key(tensor, 1, 0);
  put_varint(tensor, kString);
  put_bytes(tensor, 2, shape);
  put_bytes(tensor, 8, markdown);
  put_bytes(value, 1, tag);
  put_bytes(value, 8, tensor);
  put_bytes(value, 9, metadata);
  put_bytes(summary, 1, value);
  impl_->file.append(record(event(wall_time, step, summary, {})));
}
void EventFile::flush() { impl_->file.sync(); }

struct MetricsWriter::Impl {
  AppendFile jsonl;
  EventFile events;
};

MetricsWriter::MetricsWriter(const fs::path& run_dir, int64_t resume_step) {
  make_dirs(run_dir);
  const fs::path path = run_dir / "metrics.jsonl";
  std::string kept;
  if (resume_step > 0 && fs::exists(path)) {
    // Lines after the step resumed from, or cut off by a crash, are written again.
    const std::string text = read_file(path);
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      if (end == std::string::npos) break;
      const auto line = std::string_view(text).substr(begin, end + 1 - begin);
      const auto json = Json::parse(line, nullptr, false);
      if (json.is_discarded() || !json.contains("step")) break;
      if (json.at("step").get<int64_t>() <= resume_step) kept += line;
      begin = end + 1;
    }
  }
  if (resume_step == 0)
    for (const auto& entry : fs::directory_iterator(run_dir))
      if (entry.path().filename().string().starts_with("events.out.tfevents."))
        fs::remove(entry.path());
  write_file_atomic(path, kept);
  impl_.reset(new Impl{AppendFile(path), EventFile(run_dir, wall_now())});
}

MetricsWriter::~MetricsWriter() = default;

void MetricsWriter::write(int64_t step, const Scalars& scalars) {
  OrderedJson line = {{"step", step}};
  for (const auto& [name, value] : scalars) {
    if (std::isfinite(value)) line[name] = value;
    else line[name] = nullptr;
  }
  impl_->jsonl.append(compact(line) + "\n");
  impl_->events.scalars(wall_now(), step, scalars);
}

void MetricsWriter::write(int64_t step, const std::vector<TextSample>& samples) {
  OrderedJson list = OrderedJson::array();
  const double now = wall_now();
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto& [prompt, text] = samples[i];
    list.push_back({{"prompt", prompt}, {"text", text}});
    // As code: whatever the model wrote stands there as it is.
    const std::string block = "    " + with_indent(prompt + " ⟶ " + text);
    impl_->events.text(now, step, "samples/" + std::to_string(i + 1), block);
  }
  impl_->jsonl.append(compact({{"step", step}, {"samples", list}}) + "\n");
}

void MetricsWriter::flush() {
  impl_->jsonl.sync();
  impl_->events.flush();
}

}  // namespace helio
