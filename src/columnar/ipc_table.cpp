#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/type.h>

#include "columnar/arrow_errors.h"
#include "columnar/batches.h"
#include "columnar/cells.h"
#include "columnar/file_systems.h"
#include "columnar/tables.h"

namespace helio::columnar {
namespace {

// Batches one after another: of a stream as they come, of a file by number.
class StreamBatches final : public BatchStream {
 public:
  StreamBatches(std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader, std::string what)
      : reader_(std::move(reader)), what_(std::move(what)) {}
  Batch next() override {
    Batch batch;
    check(reader_->ReadNext(&batch), what_);
    return batch;
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader_;
  std::string what_;
};

class FileBatches final : public BatchStream {
 public:
  FileBatches(std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader, std::string what)
      : reader_(std::move(reader)), what_(std::move(what)) {}
  Batch next() override {
    if (at_ == reader_->num_record_batches()) return nullptr;
    return value(reader_->ReadRecordBatch(at_++), what_);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  std::string what_;
  int at_ = 0;
};

class IpcTable final : public Table {
 public:
  explicit IpcTable(const std::string& address)
      : what_("cannot read the Arrow file"),
        address_(address),
        cursor_([this](size_t, int64_t) { return open(); }) {
    const auto batches = open();
    // Row counts stand at the batches themselves. Without compression this touches little of a
    // mapped file.
    std::shared_ptr<arrow::Schema> schema = schema_;
    while (const Batch batch = batches->next()) {
      rows_.push_back(batch->num_rows());
      bytes_.push_back(static_cast<uint64_t>(std::max<int64_t>(0, size_of(*batch))));
      starts_.push_back(total_);
      total_ += batch->num_rows();
    }
    for (const auto& field : schema->fields())
      columns_.push_back({field->name(), is_text(*field->type())});
  }

  const std::vector<Column>& columns() const override { return columns_; }
  size_t groups() const override { return rows_.size(); }
  int64_t rows(size_t group) const override { return rows_[group]; }
  uint64_t bytes(size_t group) const override { return bytes_[group]; }

  void read(size_t group, int64_t first, int64_t count, int64_t /*piece*/,
            std::span<const size_t> texts, std::span<const size_t> json,
            RowVisitor& visitor) const override {
    const Batch batch = whole(group)->Slice(first, count);
    const auto places = [](std::span<const size_t> asked) {
      return std::vector<int>(asked.begin(), asked.end());
    };
    visit_rows(*batch, places(texts), places(json), visitor);
  }

 private:
  static int64_t size_of(const arrow::RecordBatch& batch) {
    int64_t size = 0;
    for (int i = 0; i < batch.num_columns(); ++i)
      for (const auto& buffer : batch.column_data(i)->buffers) size += buffer ? buffer->size() : 0;
    return size;
  }

  // A batch that is asked for piece by piece stays at hand.
  Batch whole(size_t group) const {
    const std::lock_guard lock(guard_);
    if (!last_ || last_group_ != group) {
      Batch batch = cursor_.at(0, starts_[group]);  // to the cursor the whole table is one group
      check(batch->ValidateFull(), what_);
      last_ = std::move(batch);
      last_group_ = group;
    }
    return last_;
  }

  std::unique_ptr<BatchStream> open() const {
    std::shared_ptr<arrow::io::RandomAccessFile> input;
    if (is_remote(address_)) {
      const Place place = place_of(address_);
      input = value(place.system->OpenInputFile(place.path), "cannot open '" + address_ + "'");
    } else {
      input = value(arrow::io::MemoryMappedFile::Open(address_, arrow::io::FileMode::READ),
                    "cannot open '" + address_ + "'");
    }
    arrow::ipc::IpcReadOptions options;
    options.use_threads = false;
    options.max_recursion_depth = 64;
    const auto magic = value(input->ReadAt(0, 6), what_);
    if (magic->ToString() == "ARROW1") {
      auto reader = value(arrow::ipc::RecordBatchFileReader::Open(input, options), what_);
      schema_ = reader->schema();
      return std::make_unique<FileBatches>(std::move(reader), what_);
    }
    auto reader = value(arrow::ipc::RecordBatchStreamReader::Open(input, options), what_);
    schema_ = reader->schema();
    return std::make_unique<StreamBatches>(std::move(reader), what_);
  }

  std::string what_, address_;
  mutable std::shared_ptr<arrow::Schema> schema_ = {};
  mutable Cursor cursor_;
  mutable std::mutex guard_ = {};
  mutable Batch last_ = {};
  mutable size_t last_group_ = 0;
  std::vector<Column> columns_ = {};
  std::vector<int64_t> rows_ = {}, starts_ = {};
  std::vector<uint64_t> bytes_ = {};
  int64_t total_ = 0;
};

}  // namespace

std::unique_ptr<Table> open_ipc(const std::string& address) {
  return std::make_unique<IpcTable>(address);
}

}  // namespace helio::columnar
