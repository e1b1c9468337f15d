#include "data/read/file_format.h"

#include <string>

namespace helio::data {
namespace {

struct Named {
  std::string_view name;
  FileFormat format;
};

constexpr Named kOptions[] = {{"jsonl", FileFormat::jsonl},    {"json", FileFormat::json},
                              {"csv", FileFormat::csv},        {"tsv", FileFormat::tsv},
                              {"text", FileFormat::text},      {"markdown", FileFormat::markdown},
                              {"html", FileFormat::html},      {"parquet", FileFormat::parquet},
                              {"arrow", FileFormat::arrow},    {"warc", FileFormat::web_archive},
                              {"wet", FileFormat::web_archive}};

constexpr Named kEndings[] = {
    {".jsonl", FileFormat::jsonl},      {".ndjson", FileFormat::jsonl},
    {".json", FileFormat::json},        {".csv", FileFormat::csv},
    {".tsv", FileFormat::tsv},          {".tab", FileFormat::tsv},
    {".txt", FileFormat::text},         {".text", FileFormat::text},
    {".md", FileFormat::markdown},      {".markdown", FileFormat::markdown},
    {".html", FileFormat::html},        {".htm", FileFormat::html},
    {".xhtml", FileFormat::html},       {".parquet", FileFormat::parquet},
    {".pq", FileFormat::parquet},       {".arrow", FileFormat::arrow},
    {".feather", FileFormat::arrow},    {".ipc", FileFormat::arrow},
    {".warc", FileFormat::web_archive}, {".wet", FileFormat::web_archive},
    {".zip", FileFormat::zip}};

}  // namespace

std::optional<FileFormat> format_named(std::string_view option) {
  for (const Named& known : kOptions)
    if (known.name == option) return known.format;
  return std::nullopt;
}

std::optional<FileFormat> format_by_name(std::string_view given) {
  std::string name(given);
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  for (const std::string_view ending : {".gz", ".zst", ".bz2", ".xz"})
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  for (const Named& known : kEndings)
    if (name.ends_with(known.name)) return known.format;
  return std::nullopt;
}

std::optional<FileFormat> format_by_bytes(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("PAR1"sv)) return FileFormat::parquet;
  if (head.starts_with("ARROW1\0\0"sv)) return FileFormat::arrow;
  // A stream of Arrow messages: the mark, then a small length of the schema.
  if (head.starts_with("\xff\xff\xff\xff"sv) && head.size() >= 8 && head[7] == '\0')
    return FileFormat::arrow;
  if (head.starts_with("WARC/1."sv)) return FileFormat::web_archive;
  if (head.starts_with("PK\x03\x04"sv) || head.starts_with("PK\x05\x06"sv)) return FileFormat::zip;
  return std::nullopt;
}

std::string known_endings() {
  std::string all;
  for (const Named& known : kEndings) all.append(known.name).append(" ");
  return all + "and their .gz, .zst, .bz2 and .xz";
}

}  // namespace helio::data
