#include "columnar/batches.h"

#include "columnar/cells.h"
#include "core/error.h"

namespace helio::columnar {
namespace {

// Decoded pieces kept for threads that have not asked yet: as many as threads may be at work.
constexpr size_t kKeep = 32;

}  // namespace

void visit_rows(const arrow::RecordBatch& batch, std::span<const int> texts,
                std::span<const int> json, RowVisitor& visitor) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int i = 0; i < batch.num_columns(); ++i) columns.push_back(batch.column(i));
  std::vector<std::string> keys;
  for (const int column : json) {
    keys.emplace_back();
    append_json_text(keys.back(), batch.column_name(column));
    keys.back() += ':';
  }
  std::vector<Cell> cells(texts.size());
  std::string object;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    for (size_t i = 0; i < texts.size(); ++i)
      cells[i] = text_cell(*columns[static_cast<size_t>(texts[i])], row);
    object.clear();
    for (size_t i = 0; i < json.size(); ++i) {
      object += i == 0 ? '{' : ',';
      object += keys[i];
      append_json(object, *columns[static_cast<size_t>(json[i])], row);
    }
    if (!json.empty()) object += '}';
    visitor.row(cells, object);
  }
}

Batch Cursor::at(size_t group, int64_t first, int64_t piece) {
  const std::lock_guard lock(guard_);
  for (auto kept = kept_.begin(); kept != kept_.end(); ++kept)
    if (kept->group == group && kept->first == first) {
      Batch found = std::move(kept->batch);
      kept_.erase(kept);
      return found;
    }
  if (!stream_ || group_ != group || row_ > first) {
    stream_ = open_(group, piece);
    group_ = group;
    row_ = 0;
  }
  for (;;) {
    const int64_t begins = row_;
    Batch batch = stream_->next();
    if (!batch) throw Error(ErrorKind::invalid, "the table has fewer rows than it says");
    row_ += batch->num_rows();
    if (begins == first) return batch;
    if (begins > first) throw Error(ErrorKind::invalid, "the table's batches changed while read");
    if (kept_.size() == kKeep) kept_.pop_front();
    kept_.push_back({group, begins, std::move(batch)});
  }
}

}  // namespace helio::columnar
