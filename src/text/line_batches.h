// Documents out of files in batches that several threads can work on: JSONL (a row a document) and
// plain text (a line a document), compressed or not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/lines.h"

namespace helio::text {

struct SourceLine {
  std::string bytes = {};  // with room behind it, see DocumentReader
  size_t file = 0;         // index into the files
  int64_t number = 0;      // from 1
};

class LineBatches {
 public:
  explicit LineBatches(std::vector<std::filesystem::path> files, size_t batch_bytes = 16 << 20);
  // Fills `batch` with the next lines of at least batch_bytes; false when there are none. Blank
  // lines of JSONL files are no documents.
  bool next(std::vector<SourceLine>& batch);
  // Of the files as they are on the disk: for progress.
  int64_t bytes_done() const;
  int64_t bytes_total() const { return total_; }

  std::string place(const SourceLine& line) const;  // "FILE:12"
  bool is_jsonl(const SourceLine& line) const;
  // The row of a JSONL file; errors carry its place.
  Json row(const SourceLine& line) const;
  // The document: the row's text `field`, or the line of a plain text file.
  std::string text(const SourceLine& line, const std::string& field) const;

 private:
  std::vector<std::filesystem::path> files_;
  size_t batch_bytes_;
  int64_t total_ = 0, before_ = 0;
  size_t next_file_ = 0;
  std::unique_ptr<LineReader> reader_ = {};
};

// The texts of documents as LineBatches::text gives them, several times faster. One for each
// thread.
class DocumentReader {
 public:
  // With `split`, only rows whose "split" is that.
  DocumentReader(const LineBatches& batches, std::string field, std::string split = {});
  ~DocumentReader();
  // Valid until the next call, and as long as the line. Nothing for a row of another split.
  std::optional<std::string_view> text(const SourceLine& line);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The parts of a dataset folder (part-*.jsonl.zst) in their order; Error{not_found} without any.
std::vector<std::filesystem::path> dataset_parts(const std::filesystem::path& dataset);

// The text member `key` of a row; Error{invalid} when it is missing or no text.
std::string row_text(const Json& row, const std::string& key);

// How many threads an option of 0 or more asks for: 0 is as many as the machine has.
int thread_count(int64_t asked);

}  // namespace helio::text
