// Cuts a stream into pieces of whole records, in memory bounded by the piece's and a record's size.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "data/read/byte_stream.h"
#include "data/read/source.h"

namespace helio::data {

class Cutter {
 public:
  enum class Rows { lines, records };  // what a row number counts

  Cutter(Stream stream, size_t max_record, Rows rows)
      : stream_(std::move(stream)), max_record_(max_record), rows_(rows) {}
  virtual ~Cutter() = default;

  // Fills bytes, first_row and refused: the fewest records that make `bytes` bytes, or those before
  // one that is too long, which is then refused by itself and passed over. False at the end.
  bool next(Block& block, size_t bytes);

 protected:
  // A record begins: forget what was seen of the one before.
  virtual void start() {}
  // Where the record that begins at `begin` ends, or npos when `text` does not reach so far.
  // Looking goes on from `at`, which is set to where it stopped; nothing before it is looked at
  // again. `ended`: nothing follows `text`, and what is there is a record even when its end is
  // missing.
  virtual size_t record_end(std::string_view text, size_t begin, size_t& at, bool ended) = 0;

  // What is wrong with how the stream ended; asked once, behind the last record.
  virtual std::string end_problem() { return {}; }

 private:
  void fill();
  int64_t rows_in(std::string_view text) const;
  void pass_over(size_t at, bool whole);  // at: how far it was seen, its end when whole

  Stream stream_;
  size_t max_record_;
  Rows rows_;
  std::string buffer_ = {};
  std::string problem_ = {};  // of the stream: told when the records before it are handed out
  int64_t row_ = 0;
  bool ended_ = false, end_told_ = false;
};

// Lines.
std::unique_ptr<Cutter> cut_lines(Stream stream, size_t max_record);
// Runs of lines with the blank lines behind them.
std::unique_ptr<Cutter> cut_paragraphs(Stream stream, size_t max_record);
// All of the stream is one record.
std::unique_ptr<Cutter> cut_nothing(Stream stream, size_t max_record);

}  // namespace helio::data
