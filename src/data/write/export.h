// A finished dataset as files of other tools: Parquet, or Arrow as Hugging Face `datasets` reads
// it. The dataset itself stays what explain, report and training read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/fields.h"
#include "core/monitor.h"
#include "core/node.h"

namespace helio::data {

struct ExportOptions {
  std::string path = {};  // a folder, or s3://bucket/prefix
  std::string format = "parquet";
  std::string shard = "512M";  // of rows, before compression
  std::string split = {};      // only this one; empty: all
  int64_t chunk_words = 0;     // 0: documents stay whole

  void describe(Fields& f) {
    f("path", path, "Folder to write, made anew; or s3://bucket/prefix.");
    f("format", format, "What the files are.", one_of({"parquet", "arrow"}));
    f("shard", shard, "A file ends at so many bytes of rows: 64M, 2G.");
    f("chunk_words", chunk_words,
      "Longer documents become several rows of so many words, with ids ID#0, ID#1, ...; 0: whole.",
      at_least(0));
    f("split", split, "Only the documents of this split: train, heldout; empty: all.");
  }
};

// Reads a list of the above (or of paths, for Parquet). Error{invalid} with file:line:column.
std::vector<ExportOptions> read_exports(const Node& node);

struct Exported {
  int64_t documents = 0;
  int64_t rows = 0;                     // more than documents where these are cut into chunks
  std::vector<std::string> files = {};  // names within the folder
};

// Runs of `words` words (what white space divides) with what stands between them, in order; the
// last may be shorter. No words: no chunk.
std::vector<std::string_view> chunks_of(std::string_view text, int64_t words);

// A local folder appears whole or not at all. One that holds anything but an earlier export's files
// is Error{invalid}.
Exported export_dataset(const std::filesystem::path& dataset, const ExportOptions& options,
                        Monitor& monitor, const StopRequest& stop);

}  // namespace helio::data
