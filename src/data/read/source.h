// An input opened: files of any format read into documents.
//
// The work is in two halves. next() finds where records begin and end and hands out pieces of whole
// records; it is fast, and one thread does it. parse() turns a piece into documents; any number of
// threads do it at once. What comes out depends on the input and options alone.
//
// Ids are stable: "<lot>/<path>" for a file, "<lot>/<path>#<row>" for a row, where a row's number
// is the line it begins on (JSONL, CSV, text), or counts elements (JSON), records (WARC) and table
// rows (Parquet, Arrow) from 1.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/document.h"
#include "data/read/source_files.h"
#include "data/read/source_options.h"

namespace helio::data {

// A piece of an input: whole records, found fast by one thread; parsed by any thread.
struct Block {
  size_t file = 0;           // index into the source's files
  int64_t first_row = 0;     // of the piece in its file, from 0 (a line's number is row + 1)
  std::string bytes = {};    // decompressed records, or empty when row_group says what to read
  int64_t row_group = -1;    // columnar formats: which group to read
  int64_t rows = 0;          // columnar formats: how many rows, from first_row
  std::string refused = {};  // why what stands at first_row cannot be read: parse() tells it
};

struct BadRow {
  std::string place = {};  // "pages/a.html" or "rows.jsonl:12"
  std::string reason = {};
};

inline constexpr size_t kFirstBad = 20;

struct ReadTally {
  int64_t documents = 0;
  int64_t empty = 0;     // files and rows with nothing but white space: left out
  int64_t left_out = 0;  // web records that are no documents: redirects, errors, images
  int64_t bad = 0;       // left out under on_error: skip
  std::vector<BadRow> first_bad = {};  // at most kFirstBad of them
};

class SourceReader {  // one SourceOptions opened
 public:
  virtual ~SourceReader() = default;
  // In byte order of their relative paths. A zip's members are files of their own.
  virtual const std::vector<SourceFile>& files() const = 0;
  virtual uint64_t bytes_total() const = 0;  // of the files, as on disk
  virtual uint64_t bytes_read() const = 0;   // for progress

  // The next piece of about `bytes` decompressed bytes (at least one record; never across files);
  // false at the end. One thread. Where pieces are cut depends only on the input and `bytes`.
  virtual bool next(Block& block, size_t bytes) = 0;

  // Parses a piece into documents in order: id, text, format, path, row, and language, url, split
  // and meta when the source says so; lot and partner fields are the caller's. Any thread, any time
  // after next() gave the piece. Bad rows: Error with file:line, or counted under on_error: skip.
  virtual void parse(const Block& block, std::vector<Document>& out, ReadTally& tally) const = 0;
};

// Error{not_found} when the path names nothing, Error{invalid} when a file's kind cannot be told.
std::unique_ptr<SourceReader> open_source(const SourceOptions& options, const std::string& lot);

}  // namespace helio::data
