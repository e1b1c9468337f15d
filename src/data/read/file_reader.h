// One file of an input being read: what a format has to give.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/read/byte_stream.h"
#include "data/read/cutter.h"
#include "data/read/encoding.h"
#include "data/read/source.h"

namespace helio::data {

// What a row says beside its text.
struct RowFacts {
  std::string id = {}, url = {}, language = {}, meta = {}, split = {};
};

// Where parsed documents go: makes ids, counts, and turns bad rows into errors or counts.
class DocumentSink {
 public:
  DocumentSink(const SourceOptions& options, const std::string& lot, const SourceFile& file,
               std::vector<Document>& out, ReadTally& tally)
      : options_(options), lot_(lot), file_(file), out_(out), tally_(tally) {}

  // A file that is one document.
  void file(std::string text, const char* format, RowFacts facts = {});
  // Row `row` of the file, from 0.
  void row(int64_t row, std::string text, const char* format = "text", RowFacts facts = {});
  void bad_row(int64_t row, const std::string& reason);
  void bad_file(const std::string& reason);
  void empty() { ++tally_.empty; }
  void left_out() { ++tally_.left_out; }

 private:
  void give(std::string name, const std::string& place, int64_t row, std::string text,
            const char* format, RowFacts facts);
  void bad(const std::string& place, const std::string& reason);

  const SourceOptions& options_;
  const std::string& lot_;
  const SourceFile& file_;
  std::vector<Document>& out_;
  ReadTally& tally_;
};

class FileReader {
 public:
  virtual ~FileReader() = default;
  virtual bool next(Block& block, size_t bytes) = 0;  // sets all but block.file
  virtual void parse(const Block& block, DocumentSink& sink) const = 0;
  // Whether a refused piece is the file or one of its rows.
  virtual bool is_one_document() const { return false; }
};

using Reader = std::unique_ptr<FileReader>;

// `text` is the decompressed stream with byte order marks gone and UTF-16 turned into UTF-8;
// `encoding` is what its bytes are in (Encoding::unknown: each row is looked at).
Reader read_jsonl_file(const SourceOptions& options, Stream text, Encoding encoding);
Reader read_json_file(const SourceOptions& options, Stream text, Encoding encoding);
Reader read_table_file(const SourceOptions& options, Stream text, Encoding encoding, char delimiter,
                       bool quotes);
Reader read_text_file(const SourceOptions& options, Stream text, Encoding encoding, bool markdown);
// Pages and web archives find out about encodings themselves.
Reader read_page_file(const SourceOptions& options, Stream bytes);
Reader read_web_archive(const SourceOptions& options, Stream bytes);
Reader read_columnar_file(const SourceOptions& options, const SourceFile& file, bool parquet);

}  // namespace helio::data
