// A finished dataset as Parquet or Arrow files, in shards of a size, on disk or in an object store.
//
// A shard is named part-00000.parquet, part-00001..., and appears whole or not at all. Shards end
// where the next row would make them larger than asked, so their bytes depend on the rows and
// options alone. Columns: id, text, lot, partner, licence, language, split, path, url, meta (JSON
// as text), cluster (the id of the copy that stays, null for none), scores (a JSON object as text:
// Hugging Face `datasets` has no map type), changed (a list of step names).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helio::data {

struct OutRow {
  std::string_view id = {}, text = {}, lot = {}, partner = {}, licence = {}, language = {};
  std::string_view split = {}, path = {}, url = {};
  std::string_view meta = {};     // a JSON object, or empty
  std::string_view cluster = {};  // or empty
  std::string_view scores = {};   // a JSON object, or empty
  std::span<const std::string> changed = {};
};

class RowWriter {
 public:
  virtual ~RowWriter() = default;  // without close(): the last shard does not appear
  virtual void write(const OutRow& row) = 0;
  virtual void close() = 0;
  virtual const std::vector<std::string>& shards() const = 0;  // names of those finished
};

enum class TableKind { parquet, arrow };

struct RowWriterOptions {
  TableKind kind = TableKind::parquet;
  uint64_t shard_bytes = uint64_t(512) << 20;  // of text and other columns, before compression
  uint64_t group_bytes = uint64_t(64) << 20;
  std::string prefix = "part-";
};

// `folder`: local (made when missing) or s3://bucket/prefix.
std::unique_ptr<RowWriter> open_row_writer(const std::string& folder,
                                           const RowWriterOptions& options = {});

}  // namespace helio::data
