#include "data/write/row_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"
#include "core/fs.h"
#include "data/read/columnar.h"
#include "data/read/source_files.h"

namespace helio::data {
namespace {

using columnar::Type;
using columnar::Value;

const std::vector<columnar::NewColumn>& columns() {
  static const std::vector<columnar::NewColumn> all = {
      {"id", Type::text},      {"text", Type::text},    {"lot", Type::text},
      {"partner", Type::text}, {"licence", Type::text}, {"language", Type::text},
      {"split", Type::text},   {"path", Type::text},    {"url", Type::text},
      {"meta", Type::text},    {"cluster", Type::text}, {"scores", Type::text},
      {"changed", Type::texts}};
  return all;
}

class ShardedWriter final : public RowWriter {
 public:
  ShardedWriter(const std::string& folder, const RowWriterOptions& options)
      : folder_(folder), remote_(is_remote(folder)), options_(options) {
    if (remote_) {
      // s3://bucket/prefix?settings: names go before the settings.
      const size_t query = folder_.find('?');
      if (query != std::string::npos) {
        settings_ = folder_.substr(query);
        folder_.resize(query);
      }
      while (folder_.ends_with('/')) folder_.pop_back();
    } else {
      make_dirs(folder_);
      remove_stale_temporaries(folder_);
    }
    open();  // so that what cannot be written is told before the work
  }
  ~ShardedWriter() override { drop(); }

  void write(const OutRow& row) override {
    const uint64_t size = size_of(row);
    if (held_ > 0 && held_ + size > options_.shard_bytes) finish();
    if (!table_) open();
    held_ += size;
    const auto text = [](std::string_view value) { return Value(value); };
    const auto maybe = [](std::string_view value) {
      return value.empty() ? Value() : Value(value);
    };
    const Value cells[] = {text(row.id),      text(row.text),     text(row.lot),
                           text(row.partner), text(row.licence),  text(row.language),
                           text(row.split),   text(row.path),     maybe(row.url),
                           maybe(row.meta),   maybe(row.cluster), maybe(row.scores),
                           Value(row.changed)};
    table_->append(cells);
  }

  void close() override {
    if (table_ && (held_ > 0 || shards_.empty())) finish();  // no rows at all: one empty shard
    else drop();
  }

  const std::vector<std::string>& shards() const override { return shards_; }

 private:
  static uint64_t size_of(const OutRow& row) {
    uint64_t size = 0;
    for (const std::string_view part :
         {row.id, row.text, row.lot, row.partner, row.licence, row.language, row.split, row.path,
          row.url, row.meta, row.cluster, row.scores})
      size += part.size();
    for (const std::string& step : row.changed) size += step.size();
    return size + 16;
  }

  void open() {
    const bool parquet = options_.kind == TableKind::parquet;
    name_ =
        fmt::format("{}{:05}.{}", options_.prefix, shards_.size(), parquet ? "parquet" : "arrow");
    // An object store shows an object only when it is complete; a file is written under another
    // name.
    address_ = remote_ ? folder_ + "/" + name_ + settings_
                       : temporary_beside(fs::path(folder_) / name_).string();
    table_ = columnar_library().create(address_,
                                       parquet ? columnar::Kind::parquet : columnar::Kind::arrow,
                                       columns(), options_.group_bytes);
    held_ = 0;
  }

  void finish() {
    table_->close();
    table_.reset();
    if (!remote_) {
      const fs::path target = fs::path(folder_) / name_;
      const int fd = ::open(address_.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) throw system_error("cannot open '" + address_ + "'", errno);
      const int failed = fsync(fd);
      const int problem = errno;
      ::close(fd);
      if (failed && problem != EINVAL)
        throw system_error("cannot sync '" + address_ + "'", problem);
      std::error_code renamed;
      fs::rename(address_, target, renamed);
      if (renamed)
        throw system_error("cannot rename to '" + target.string() + "'", renamed.value());
      sync_dir(folder_);
    }
    shards_.push_back(name_);
    held_ = 0;
  }

  void drop() {
    if (!table_) return;
    table_.reset();
    std::error_code ignored;
    if (!remote_) fs::remove(address_, ignored);
  }

  std::string folder_, settings_ = {};
  bool remote_;
  RowWriterOptions options_;
  std::unique_ptr<columnar::TableWriter> table_ = {};
  std::string name_ = {}, address_ = {};
  uint64_t held_ = 0;
  std::vector<std::string> shards_ = {};
};

}  // namespace

std::unique_ptr<RowWriter> open_row_writer(const std::string& folder,
                                           const RowWriterOptions& options) {
  return std::make_unique<ShardedWriter>(folder, options);
}

}  // namespace helio::data
