#include "checkpoint/rewrite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>

#include "checkpoint/safetensors_header.h"
#include "core/error.h"
#include "core/following_hash.h"
#include "core/json.h"
#include "core/parallel.h"

namespace helio::checkpoint {
namespace {

// Progress and Ctrl-C are looked at between pieces of this many bytes.
constexpr uint64_t kPiece = uint64_t(32) << 20;
constexpr size_t kBuffer = size_t(1) << 20;
// Files whose hashes may lag behind, each on a thread of its own.
constexpr size_t kHashedAtOnce = 4;

Error write_error(const std::string& path, int problem) {
  Error error = system_error("cannot write '" + path + "'", problem);
  if (problem == EFBIG || problem == EDQUOT)
    error.with_hint(
        "a file size limit or quota was reached; raise it, use a smaller --shard_size, or "
        "point --out at another disk");
  return error;
}

class File {
 public:
  File(const fs::path& path, int flags)
      : path_(path.string()), fd_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) throw system_error("cannot open '" + path_ + "'", errno);
  }
  File(File&& other) noexcept : path_(std::move(other.path_)), fd_(other.fd_) { other.fd_ = -1; }
  File& operator=(File&&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }

  uint64_t size() const {
    struct stat info {};
    if (fstat(fd_, &info) != 0) throw system_error("cannot look at '" + path_ + "'", errno);
    return static_cast<uint64_t>(info.st_size);
  }

  // Claims the space at once: twice as fast as growing, and a full disk shows before any copying.
  void reserve(uint64_t size) const {
    if (size == 0) return;
    while (fallocate(fd_, 0, 0, static_cast<off_t>(size)) != 0) {
      if (errno == EINTR) continue;
      if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL)
        return;  // the file grows instead
      throw write_error(path_, errno);
    }
  }

  void write_at(const char* data, size_t size, uint64_t offset) const {
    while (size > 0) {
      const ssize_t wrote = pwrite(fd_, data, size, static_cast<off_t>(offset));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) throw write_error(path_, wrote == 0 ? ENOSPC : errno);
      data += wrote;
      size -= static_cast<size_t>(wrote);
      offset += static_cast<uint64_t>(wrote);
    }
  }

 private:
  std::string path_;
  int fd_ = -1;
};

Error got_shorter(const File& from) {
  return Error(ErrorKind::failed, "'" + from.path() + "' became shorter while it was read")
      .with_hint("something else writes to the source; wait for it and run again");
}

// Copies byte ranges between files: in the kernel where both file systems can (on XFS and btrfs
// aligned ranges are then shared, not copied), through a small buffer elsewhere.
class Copier {
 public:
  void copy(const File& from, uint64_t source, const File& to, uint64_t target, uint64_t size) {
    while (in_kernel_ && size > 0) {
      auto in = static_cast<off64_t>(source), out = static_cast<off64_t>(target);
      const ssize_t done = copy_file_range(from.fd(), &in, to.fd(), &out, size, 0);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0 &&
          (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
        in_kernel_ = false;
        break;
      }
      if (done < 0) throw write_error(to.path(), errno);
      if (done == 0) throw got_shorter(from);
      source += static_cast<uint64_t>(done);
      target += static_cast<uint64_t>(done);
      size -= static_cast<uint64_t>(done);
    }
    while (size > 0) {
      buffer_.resize(kBuffer);
      const ssize_t got = pread(from.fd(), buffer_.data(), std::min<uint64_t>(size, kBuffer),
                                static_cast<off_t>(source));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw system_error("cannot read '" + from.path() + "'", errno);
      if (got == 0) throw got_shorter(from);
      to.write_at(buffer_.data(), static_cast<size_t>(got), target);
      source += static_cast<uint64_t>(got);
      target += static_cast<uint64_t>(got);
      size -= static_cast<uint64_t>(got);
    }
  }

 private:
  bool in_kernel_ = true;
  std::vector<char> buffer_ = {};
};

// Bytes of a new file: a range of a source, or rows or values that are made. Adjoining tensors that
// also adjoin in the source are one run: a whole layer, most often.
struct Run {
  size_t checkpoint = 0, file = 0;
  uint64_t source = 0, target = 0, size = 0;
  const TensorCopy* made = nullptr;
};

std::vector<Run> runs_of(const OutputFile& file) {
  std::vector<Run> runs;
  uint64_t target = file.header.size();
  for (const auto& tensor : file.tensors) {
    const auto& from = *tensor.source;
    const uint64_t copied = tensor.made ? 0
                            : tensor.rows
                                ? static_cast<uint64_t>(tensor.rows->kept) * tensor.row_size()
                                : from.size;
    if (copied > 0) {
      if (!runs.empty() && !runs.back().made && runs.back().checkpoint == tensor.checkpoint &&
          runs.back().file == from.file && runs.back().source + runs.back().size == from.offset)
        runs.back().size += copied;
      else
        runs.push_back({.checkpoint = tensor.checkpoint,
                        .file = from.file,
                        .source = from.offset,
                        .target = target,
                        .size = copied});
    }
    const uint64_t made = tensor.size() - copied;
    if (made > 0) runs.push_back({.target = target + copied, .size = made, .made = &tensor});
    target += copied + made;
  }
  return runs;
}

OutputFile make_file(const std::vector<TensorCopy>& tensors,
                     const std::map<std::string, std::string>& metadata) {
  std::vector<TensorLayout> layout;
  std::map<std::string_view, const TensorCopy*> by_name;
  for (const auto& tensor : tensors) {
    layout.push_back({.name = tensor.name, .dtype = tensor.source->dtype, .shape = tensor.shape()});
    by_name[tensor.name] = &tensor;
  }
  plan_layout(layout);
  OutputFile file;
  file.header = make_safetensors_header(layout, metadata);
  file.size = file.header.size();
  for (const auto& tensor : layout) {
    file.tensors.push_back(*by_name.at(tensor.name));
    file.size += tensor.size;
  }
  return file;
}

// What a tensor takes of a file at most: its bytes and its entry in the header, every character of
// its name escaped and its offsets as long as numbers get.
uint64_t share_of_file(const TensorCopy& tensor) {
  return tensor.size() + 6 * tensor.name.size() + 21 * (tensor.source->shape.size() + 2) + 64;
}

void write_index(const fs::path& dir, const std::vector<OutputFile>& files) {
  Json map = Json::object();
  uint64_t bytes = 0;
  for (const auto& file : files)
    for (const auto& tensor : file.tensors) {
      map[tensor.name] = file.name;
      bytes += tensor.size();
    }
  const Json index = {{"metadata", {{"total_size", bytes}}}, {"weight_map", std::move(map)}};
  write_file_atomic(dir / "model.safetensors.index.json", index.dump(2) + "\n");
}

// Rows in pieces, so that many new ones need no more memory than one piece.
void make_rows(const Run& run, const File& to, const std::function<void(uint64_t)>& written) {
  const NewRows& rows = *run.made->rows;
  const uint64_t size = run.made->row_size(), at_once = std::max<uint64_t>(1, kBuffer / size);
  std::vector<char> buffer(std::min<uint64_t>(at_once, run.size / size) * size);
  for (uint64_t target = run.target, row = static_cast<uint64_t>(rows.kept);
       target < run.target + run.size;) {
    const uint64_t count = std::min(at_once, (run.target + run.size - target) / size);
    for (uint64_t i = 0; i < count; ++i)
      rows.make(static_cast<int64_t>(row + i),
                std::as_writable_bytes(std::span(buffer)).subspan(i * size, size));
    to.write_at(buffer.data(), count * size, target);
    written(count * size);
    target += count * size;
    row += count;
  }
}

// Values on many threads; each writes its own pieces where they belong.
void make_values(const Run& run, const File& to, int threads, const StopRequest& stop,
                 const std::function<void(uint64_t)>& written) {
  const MadeValues& made = *run.made->made;
  if (made.prepare) made.prepare(threads, stop);
  const uint64_t width = dtype_size(run.made->source->dtype), count = run.size / width;
  const uint64_t batch = kMadePiece * 64 * static_cast<uint64_t>(threads);
  std::vector<std::vector<std::byte>> buffers(static_cast<size_t>(threads));
  for (uint64_t at = 0; at < count; at += batch) {
    stop.check();
    const uint64_t end = std::min(count, at + batch);
    parallel_slices(end - at, threads, kMadePiece, [&](size_t first, size_t last, int worker) {
      auto& buffer = buffers[static_cast<size_t>(worker)];
      buffer.resize((last - first) * width);
      made.fill(at + first, buffer);
      to.write_at(reinterpret_cast<const char*>(buffer.data()), buffer.size(),
                  run.target + (at + first) * width);
    });
    written((end - at) * width);
  }
}

}  // namespace

std::vector<int64_t> TensorCopy::shape() const {
  std::vector<int64_t> shape = source->shape;
  if (rows) shape.at(0) = rows->rows;
  return shape;
}

uint64_t TensorCopy::row_size() const {
  std::vector<int64_t> row = source->shape;
  row.at(0) = 1;
  return tensor_bytes(name, source->dtype, row);
}

uint64_t TensorCopy::size() const { return tensor_bytes(name, source->dtype, shape()); }

std::vector<OutputFile> plan_output(const std::vector<TensorCopy>& tensors,
                                    const std::map<std::string, std::string>& metadata,
                                    uint64_t shard_size) {
  uint64_t frame = 64;
  for (const auto& [key, value] : metadata) frame += 6 * (key.size() + value.size()) + 8;
  std::vector<std::vector<TensorCopy>> shards(1);
  uint64_t used = frame;
  for (const auto& tensor : tensors) {
    const uint64_t share = share_of_file(tensor);
    if (shard_size > 0 && !shards.back().empty() && used + share > shard_size) {
      shards.emplace_back();
      used = frame;
    }
    shards.back().push_back(tensor);
    used += share;
  }
  return plan_files(shards, metadata);
}

std::vector<OutputFile> plan_files(const std::vector<std::vector<TensorCopy>>& files,
                                   const std::map<std::string, std::string>& metadata) {
  std::vector<OutputFile> out;
  for (const auto& tensors : files) {
    out.push_back(make_file(tensors, metadata));
    out.back().name = files.size() == 1 ? "model.safetensors"
                                        : fmt::format("model-{:05}-of-{:05}.safetensors",
                                                      out.size(), files.size());
  }
  return out;
}

std::vector<ArtefactFile> write_output(const fs::path& dir, const SafeTensors& source,
                                       const std::vector<OutputFile>& files, Monitor& monitor,
                                       const StopRequest& stop) {
  const SafeTensors* const one = &source;
  return write_output(dir, std::span(&one, 1), files, 1, monitor, stop);
}

std::vector<ArtefactFile> write_output(const fs::path& dir,
                                       std::span<const SafeTensors* const> checkpoints,
                                       const std::vector<OutputFile>& files, int threads,
                                       Monitor& monitor, const StopRequest& stop) {
  uint64_t total = 0, done = 0;
  for (const auto& file : files) total += file.size;
  std::error_code unknown;
  const auto space = fs::space(dir, unknown);
  if (!unknown && space.available < total)
    throw Error(ErrorKind::failed,
                fmt::format("the new checkpoint needs {} bytes, and {} are free in '{}'", total,
                            space.available, dir.parent_path().string()))
        .with_hint("free some space, or point --out at another disk; nothing half-written stays");

  std::vector<std::vector<File>> sources(checkpoints.size());
  for (size_t i = 0; i < checkpoints.size(); ++i)
    for (const auto& path : checkpoints[i]->files()) sources[i].emplace_back(path, O_RDONLY);
  Copier copier;
  std::vector<ArtefactFile> hashed;
  std::deque<FollowingHash> following;  // of the last files of `hashed`, in order
  const auto settle = [&] {
    hashed[hashed.size() - following.size()].sha256 = following.front().hex();
    following.pop_front();
  };
  monitor.begin("copying tensors", static_cast<int64_t>(total), "bytes");
  for (const auto& plan : files) {
    if (following.size() == kHashedAtOnce) settle();
    const File file(dir / plan.name, O_WRONLY | O_CREAT | O_EXCL);
    file.reserve(plan.size);
    hashed.push_back({.path = plan.name, .size = plan.size});
    auto& hash = following.emplace_back(dir / plan.name);
    uint64_t whole = 0;  // bytes of this file
    const auto written = [&](uint64_t size) {
      stop.check();
      hash.written(whole += size);
      monitor.at(static_cast<int64_t>(done += size));
    };
    file.write_at(plan.header.data(), plan.header.size(), 0);
    written(plan.header.size());
    for (const auto& run : runs_of(plan)) {
      if (run.made && run.made->made) make_values(run, file, threads, stop, written);
      else if (run.made) make_rows(run, file, written);
      else
        for (uint64_t at = 0; at < run.size; at += kPiece) {
          const uint64_t size = std::min(kPiece, run.size - at);
          copier.copy(sources[run.checkpoint][run.file], run.source + at, file, run.target + at,
                      size);
          written(size);
        }
    }
  }
  if (files.size() > 1) write_index(dir, files);
  while (!following.empty()) settle();
  monitor.end();
  return hashed;
}

void copy_whole_file(const fs::path& from, const fs::path& to) {
  const File source(from, O_RDONLY), target(to, O_WRONLY | O_CREAT | O_EXCL);
  Copier().copy(source, 0, target, 0, source.size());
}

}  // namespace helio::checkpoint
