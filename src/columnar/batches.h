// What the two kinds of tables share: record batches given to a visitor, and pieces of a large
// group decoded once although they are asked for one by one.
#pragma once

#include <arrow/record_batch.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "columnar/columnar.h"

namespace helio::columnar {

using Batch = std::shared_ptr<arrow::RecordBatch>;

// Calls visitor.row for each row; `texts` and `json` are columns of the batch.
void visit_rows(const arrow::RecordBatch& batch, std::span<const int> texts,
                std::span<const int> json, RowVisitor& visitor);

// Batches of a table in order, read one after another.
class BatchStream {
 public:
  virtual ~BatchStream() = default;
  virtual Batch next() = 0;  // null at the end
};

// Reads forward through a stream of batches; those asked for a little out of order (several threads
// ask) are kept for a while, and going back further reads again from the start.
class Cursor {
 public:
  using Open = std::function<std::unique_ptr<BatchStream>(size_t group, int64_t piece)>;
  explicit Cursor(Open open) : open_(std::move(open)) {}
  // The batch that starts at row `first` of the group, read in batches of `piece` rows where the
  // format leaves that open.
  Batch at(size_t group, int64_t first, int64_t piece = 0);

 private:
  struct Kept {
    size_t group;
    int64_t first;
    Batch batch;
  };
  Open open_;
  std::mutex guard_;
  std::unique_ptr<BatchStream> stream_ = {};
  size_t group_ = 0;
  int64_t row_ = 0;
  std::deque<Kept> kept_ = {};
};

}  // namespace helio::columnar
