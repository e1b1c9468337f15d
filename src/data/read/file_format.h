// What kind of file a file is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace helio::data {

enum class FileFormat {
  jsonl,
  json,
  csv,
  tsv,
  text,
  markdown,
  html,
  parquet,
  arrow,
  web_archive,  // WARC and WET: records say what they are
  zip,
};

// By an option's value ("jsonl", "warc", ...); nothing for "auto".
std::optional<FileFormat> format_named(std::string_view option);
// By a file's name, endings of compressors aside.
std::optional<FileFormat> format_by_name(std::string_view name);
// By the first (decompressed) bytes, of formats that begin with a mark of their own.
std::optional<FileFormat> format_by_bytes(std::string_view head);

// For hints: ".jsonl .ndjson ..., also compressed".
std::string known_endings();

}  // namespace helio::data
