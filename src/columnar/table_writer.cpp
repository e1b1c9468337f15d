#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

#include "columnar/arrow_errors.h"
#include "columnar/file_systems.h"
#include "columnar/tables.h"

namespace helio::columnar {
namespace {

std::shared_ptr<arrow::DataType> type_of(Type type) {
  switch (type) {
    case Type::integer:
      return arrow::int64();
    case Type::texts:
      return arrow::list(arrow::field("item", arrow::large_utf8()));
    case Type::text:
      break;
  }
  return arrow::large_utf8();
}

class ArrowTableWriter final : public TableWriter {
 public:
  ArrowTableWriter(const std::string& address, Kind kind, const std::vector<NewColumn>& columns,
                   uint64_t group_bytes)
      : what_("cannot write '" + address + "'"), columns_(columns), group_bytes_(group_bytes) {
    arrow::FieldVector fields;
    for (const NewColumn& column : columns) {
      fields.push_back(arrow::field(column.name, type_of(column.type)));
      builders_.push_back(value(arrow::MakeBuilder(fields.back()->type()), what_));
    }
    schema_ = arrow::schema(fields);
    const Place place = place_of(address);
    sink_ = value(place.system->OpenOutputStream(place.path), what_);
    guarded([&] {
      if (kind == Kind::arrow) ipc_ = value(arrow::ipc::MakeFileWriter(sink_, schema_), what_);
      else open_parquet();
    });
  }
  ~ArrowTableWriter() override {
    if (sink_ && !sink_->closed()) (void)sink_->Abort();
  }

  void append(std::span<const Value> row) override {
    HELIO_CHECK(row.size() == columns_.size(), "a row of another table");
    for (size_t i = 0; i < row.size(); ++i) put(i, row[i]);
    if (waiting_ >= group_bytes_) flush();
  }

  uint64_t bytes() const override {
    // Text packs to about a third.
    return static_cast<uint64_t>(sink_->Tell().ValueOr(0)) + (parquet_ ? waiting_ / 3 : waiting_);
  }

  void close() override {
    flush();
    guarded([&] {
      if (parquet_) check(parquet_->Close(), what_);
      else check(ipc_->Close(), what_);
    });
    check(sink_->Close(), what_);
  }

 private:
  void open_parquet() {
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::ZSTD)
        ->compression_level(3)
        ->max_row_group_length(INT64_MAX)
        ->created_by("heliostack");
    // A dictionary of documents holds each of them once and again: only columns of few values.
    properties.disable_dictionary();
    for (const char* few : {"lot", "partner", "licence", "language", "split", "format"})
      properties.enable_dictionary(few);
    parquet::ArrowWriterProperties::Builder arrow_properties;
    arrow_properties.store_schema();
    parquet_ = value(parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), sink_,
                                                      properties.build(), arrow_properties.build()),
                     what_);
  }

  void put(size_t column, const Value& cell) {
    arrow::ArrayBuilder& builder = *builders_[column];
    if (std::holds_alternative<std::monostate>(cell)) {
      check(builder.AppendNull(), what_);
      waiting_ += 1;
    } else if (const auto* text = std::get_if<std::string_view>(&cell)) {
      check(static_cast<arrow::LargeStringBuilder&>(builder).Append(*text), what_);
      waiting_ += text->size() + 8;
    } else if (const auto* number = std::get_if<int64_t>(&cell)) {
      check(static_cast<arrow::Int64Builder&>(builder).Append(*number), what_);
      waiting_ += 8;
    } else {
      auto& list = static_cast<arrow::ListBuilder&>(builder);
      check(list.Append(), what_);
      for (const std::string& text : std::get<std::span<const std::string>>(cell)) {
        check(static_cast<arrow::LargeStringBuilder&>(*list.value_builder()).Append(text), what_);
        waiting_ += text.size() + 8;
      }
    }
  }

  void flush() {
    if (builders_.empty() || builders_[0]->length() == 0) return;
    const int64_t rows = builders_[0]->length();
    arrow::ArrayVector arrays;
    for (auto& builder : builders_) arrays.push_back(value(builder->Finish(), what_));
    const auto batch = arrow::RecordBatch::Make(schema_, rows, arrays);
    guarded([&] {
      if (ipc_) {
        check(ipc_->WriteRecordBatch(*batch), what_);
      } else {
        const auto table = value(arrow::Table::FromRecordBatches({batch}), what_);
        check(parquet_->WriteTable(*table, rows), what_);
      }
    });
    waiting_ = 0;
  }

  template <class Body>
  void guarded(Body&& body) const {
    try {
      body();
    } catch (const parquet::ParquetException& problem) {
      throw Error(ErrorKind::failed, what_ + ": " + problem.what());
    }
  }

  std::string what_;
  std::vector<NewColumn> columns_;
  uint64_t group_bytes_, waiting_ = 0;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_ = {};
  std::shared_ptr<arrow::io::OutputStream> sink_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> ipc_ = {};
  std::unique_ptr<parquet::arrow::FileWriter> parquet_ = {};
};

}  // namespace

std::unique_ptr<TableWriter> create_table(const std::string& address, Kind kind,
                                          const std::vector<NewColumn>& columns,
                                          uint64_t group_bytes) {
  return std::make_unique<ArrowTableWriter>(address, kind, columns, group_bytes);
}

}  // namespace helio::columnar
