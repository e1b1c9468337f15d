// A partner's files read into documents: web pages, text, Markdown, JSONL.
//
// Ids are stable: "<lot>/<path>" for a file, "<lot>/<path>#<line>" for a row, with the path
// relative to the source. Files come in byte order of their paths. What cannot be read is named by
// file and line, and either ends the import or is counted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "club/lot.h"
#include "core/fields.h"
#include "core/monitor.h"

namespace helio::data {

struct SourceOptions {
  std::string path = {};
  std::string format = "auto";
  std::string field = "text";
  std::string documents = "file";
  std::string on_error = "fail";

  void describe(Fields& f) {
    f("path", path, "File, folder or pattern (*, ?, ** over folders) to read.");
    f("format", format, "What the files are; auto goes by their names.",
      one_of({"auto", "html", "text", "markdown", "jsonl"}));
    f("field", field, "JSONL: the key that holds the text.");
    f("documents", documents,
      "Text and Markdown: one document a file, a line, or a run of lines between blank ones.",
      one_of({"file", "line", "paragraph"}));
    f("on_error", on_error, "A file or row that cannot be read ends the import or is left out.",
      one_of({"fail", "skip"}));
  }
};

struct BadRow {
  std::string place = {};  // "pages/a.html" or "rows.jsonl:12"
  std::string reason = {};
};

struct ReadSummary {
  int64_t files = 0, documents = 0;
  int64_t empty = 0;                   // files and rows with nothing but white space: left out
  int64_t bad = 0;                     // left out under on_error: skip
  std::vector<BadRow> first_bad = {};  // at most 20 of them
};

// The files a source names, with their paths relative to it, in the order they are read.
// Error{not_found} when the path names nothing.
struct SourceFile {
  std::filesystem::path path = {};
  std::string relative = {};
};
std::vector<SourceFile> source_files(const SourceOptions& options);

// Calls `sink` with each document in order. Progress is told in documents.
ReadSummary read_source(const SourceOptions& options, const std::string& lot,
                        const std::function<void(club::LotDocument)>& sink, Monitor& monitor,
                        const StopRequest& stop);

// True when `path` ('/' separators) fits `pattern`: * and ? within a folder's name, ** over
// folders.
bool fits_pattern(std::string_view path, std::string_view pattern);

}  // namespace helio::data
