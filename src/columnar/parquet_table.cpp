#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>

#include "columnar/arrow_errors.h"
#include "columnar/batches.h"
#include "columnar/cells.h"
#include "columnar/file_systems.h"
#include "columnar/tables.h"

namespace helio::columnar {
namespace {

class GroupStream final : public BatchStream {
 public:
  GroupStream(std::unique_ptr<parquet::arrow::FileReader> file, int group,
              const std::vector<int>& leaves, std::string what)
      : file_(std::move(file)), what_(std::move(what)) {
    batches_ = value(file_->GetRecordBatchReader({group}, leaves), what_);
  }
  Batch next() override {
    Batch batch;
    check(batches_->ReadNext(&batch), what_);
    if (batch) check(batch->Validate(), what_);
    return batch;
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::string what_;
};

class ParquetTable final : public Table {
 public:
  explicit ParquetTable(const std::string& address) : what_("cannot read the Parquet file") {
    const Place place = place_of(address);
    input_ = value(place.system->OpenInputFile(place.path), "cannot open '" + address + "'");
    guarded([&] {
      auto reader = parquet::ParquetFileReader::Open(input_);
      metadata_ = reader->metadata();
      std::unique_ptr<parquet::arrow::FileReader> file = wrap(std::move(reader), 1024);
      check(file->GetSchema(&schema_), what_);
      // Which leaves of the file a column is made of: columns of one name are told by their place.
      for (int i = 0; i < metadata_->num_columns(); ++i) {
        const auto* root = metadata_->schema()->GetColumnRoot(i);
        const int field = metadata_->schema()->group_node()->FieldIndex(*root);
        if (field < 0 || field >= schema_->num_fields()) throw Error(ErrorKind::invalid, what_);
        leaves_.resize(static_cast<size_t>(schema_->num_fields()));
        leaves_[static_cast<size_t>(field)].push_back(i);
      }
      leaves_.resize(static_cast<size_t>(schema_->num_fields()));
    });
    for (const auto& field : schema_->fields())
      columns_.push_back({field->name(), is_text(*field->type())});
  }

  const std::vector<Column>& columns() const override { return columns_; }
  size_t groups() const override { return static_cast<size_t>(metadata_->num_row_groups()); }
  int64_t rows(size_t group) const override {
    return metadata_->RowGroup(static_cast<int>(group))->num_rows();
  }
  uint64_t bytes(size_t group) const override {
    return static_cast<uint64_t>(
        std::max<int64_t>(0, metadata_->RowGroup(static_cast<int>(group))->total_byte_size()));
  }

  void read(size_t group, int64_t first, int64_t count, int64_t piece,
            std::span<const size_t> texts, std::span<const size_t> json,
            RowVisitor& visitor) const override {
    guarded([&] {
      // The batch has the asked columns in the order of the file.
      std::vector<size_t> wanted(texts.begin(), texts.end());
      wanted.insert(wanted.end(), json.begin(), json.end());
      std::sort(wanted.begin(), wanted.end());
      wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
      std::vector<int> leaves;
      for (const size_t column : wanted)
        leaves.insert(leaves.end(), leaves_[column].begin(), leaves_[column].end());
      const auto places = [&](std::span<const size_t> asked) {
        std::vector<int> out;
        for (const size_t column : asked)
          out.push_back(static_cast<int>(std::lower_bound(wanted.begin(), wanted.end(), column) -
                                         wanted.begin()));
        return out;
      };
      const auto text_places = places(texts), json_places = places(json);
      const auto open = [this, leaves](size_t of, int64_t rows_at_once) {
        return std::make_unique<GroupStream>(
            wrap(parquet::ParquetFileReader::Open(input_, parquet::default_reader_properties(),
                                                  metadata_),
                 rows_at_once),
            static_cast<int>(of), leaves, what_);
      };
      if (first == 0 && count == rows(group)) {
        int64_t seen = 0;
        auto stream = open(group, count);
        while (const Batch batch = stream->next()) {
          seen += batch->num_rows();
          visit_rows(*batch, text_places, json_places, visitor);
        }
        if (seen != count)
          throw Error(ErrorKind::invalid, what_ + ": a group has fewer rows than it says");
        return;
      }
      const Batch batch = cursor(open).at(group, first, piece);
      visit_rows(*batch, text_places, json_places, visitor);
    });
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> wrap(
      std::unique_ptr<parquet::ParquetFileReader> reader, int64_t batch_rows) const {
    parquet::ArrowReaderProperties properties;
    properties.set_use_threads(false);
    properties.set_batch_size(std::max<int64_t>(batch_rows, 1));
    return value(parquet::arrow::FileReader::Make(arrow::default_memory_pool(), std::move(reader),
                                                  properties),
                 what_);
  }

  // The columns are the same at every call of one reader, so one cursor serves them.
  Cursor& cursor(const Cursor::Open& open) const {
    const std::lock_guard lock(guard_);
    if (!cursor_) cursor_ = std::make_unique<Cursor>(open);
    return *cursor_;
  }

  template <class Body>
  void guarded(Body&& body) const {
    try {
      body();
    } catch (const parquet::ParquetException& problem) {
      throw Error(ErrorKind::invalid, what_ + ": " + problem.what());
    }
  }

  std::string what_;
  std::shared_ptr<arrow::io::RandomAccessFile> input_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::vector<int>> leaves_ = {};
  std::vector<Column> columns_ = {};
  mutable std::mutex guard_;
  mutable std::unique_ptr<Cursor> cursor_ = {};
};

}  // namespace

std::unique_ptr<Table> open_parquet(const std::string& address) {
  return std::make_unique<ParquetTable>(address);
}

}  // namespace helio::columnar
