#include "text/line_batches.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/fs.h"
#include "core/parallel.h"

namespace helio::text {
namespace {

bool named_jsonl(const fs::path& file) {
  std::string name = file.filename().string();
  for (const std::string ending : {".zst", ".gz"})
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  return name.ends_with(".jsonl") || name.ends_with(".ndjson");
}

}  // namespace

LineBatches::LineBatches(std::vector<std::filesystem::path> files, size_t batch_bytes)
    : files_(std::move(files)), batch_bytes_(batch_bytes) {
  for (const auto& file : files_) {
    std::error_code problem;
    const auto size = fs::file_size(file, problem);
    if (problem)
      throw Error(ErrorKind::not_found, "no file '" + file.string() + "'")
          .with_hint("check the path; a folder is not enough");
    total_ += static_cast<int64_t>(size);
  }
}

bool LineBatches::next(std::vector<SourceLine>& batch) {
  batch.clear();
  size_t bytes = 0;
  while (bytes < batch_bytes_) {
    if (!reader_) {
      if (next_file_ == files_.size()) break;
      reader_ = std::make_unique<LineReader>(files_[next_file_]);
    }
    std::string_view line;
    if (!reader_->next(line)) {
      reader_.reset();
      before_ += static_cast<int64_t>(fs::file_size(files_[next_file_++]));
      continue;
    }
    SourceLine source{{}, next_file_, reader_->number()};
    source.bytes.reserve(line.size() + simdjson::SIMDJSON_PADDING);
    source.bytes = line;
    if (line.find_first_not_of(" \t") == std::string_view::npos && is_jsonl(source)) continue;
    bytes += line.size() + 1;
    batch.push_back(std::move(source));
  }
  return !batch.empty();
}

int64_t LineBatches::bytes_done() const {
  return before_ + (reader_ ? static_cast<int64_t>(reader_->bytes_read()) : 0);
}

std::string LineBatches::place(const SourceLine& line) const {
  return files_[line.file].string() + ":" + std::to_string(line.number);
}

bool LineBatches::is_jsonl(const SourceLine& line) const { return named_jsonl(files_[line.file]); }

Json LineBatches::row(const SourceLine& line) const {
  Json row = parse_json(line.bytes, place(line));
  if (!row.is_object()) throw Error(ErrorKind::invalid, place(line) + ": a row must be an object");
  return row;
}

std::string LineBatches::text(const SourceLine& line, const std::string& field) const {
  if (!is_jsonl(line)) return line.bytes;
  const Json json = row(line);
  return in_context([&] { return "reading " + place(line); },
                    [&] { return row_text(json, field); });
}

struct DocumentReader::Impl {
  const LineBatches& batches;
  std::string field, split;
  simdjson::dom::parser parser{};
  std::string held = {};

  // The members of a row that is as it should be; false leaves it to the slower reader, which
  // knows what is wrong with it. Of a key said twice the last counts.
  bool read(const SourceLine& line, std::optional<std::string_view>& text) {
    if (line.bytes.capacity() < line.bytes.size() + simdjson::SIMDJSON_PADDING) return false;
    simdjson::dom::object row;
    if (parser.parse(line.bytes.data(), line.bytes.size(), false).get(row) != simdjson::SUCCESS)
      return false;
    simdjson::dom::element document, part;
    bool has_document = false, has_part = false;
    for (const auto& [key, value] : row) {
      if (key == field) document = value, has_document = true;
      if (!split.empty() && key == "split") part = value, has_part = true;
    }
    std::string_view found, of;
    if (!split.empty()) {
      if (!has_part || part.get(of) != simdjson::SUCCESS) return false;
      if (of != split) return true;
    }
    if (!has_document || document.get(found) != simdjson::SUCCESS) return false;
    text = found;
    return true;
  }
  std::optional<std::string_view> read_slowly(const SourceLine& line) {
    const Json row = batches.row(line);
    return in_context([&] { return "reading " + batches.place(line); },
                      [&]() -> std::optional<std::string_view> {
                        if (!split.empty() && row_text(row, "split") != split) return std::nullopt;
                        held = row_text(row, field);
                        return held;
                      });
  }
};

DocumentReader::DocumentReader(const LineBatches& batches, std::string field, std::string split)
    : impl_(new Impl{batches, std::move(field), std::move(split)}) {
  // No deeper than parse_json() reads.
  if (impl_->parser.allocate(size_t(1) << 16, 200) != simdjson::SUCCESS)
    throw Error(ErrorKind::memory, "no memory to read rows");
}

DocumentReader::~DocumentReader() = default;

std::optional<std::string_view> DocumentReader::text(const SourceLine& line) {
  if (!impl_->batches.is_jsonl(line)) return line.bytes;
  std::optional<std::string_view> text;
  return impl_->read(line, text) ? text : impl_->read_slowly(line);
}

std::vector<std::filesystem::path> dataset_parts(const std::filesystem::path& dataset) {
  std::vector<fs::path> parts;
  if (fs::is_directory(dataset))
    for (const auto& entry : fs::directory_iterator(dataset)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("part-") && named_jsonl(entry.path())) parts.push_back(entry.path());
    }
  std::sort(parts.begin(), parts.end());
  if (parts.empty())
    throw Error(ErrorKind::not_found, "'" + dataset.string() + "' has no part-*.jsonl.zst")
        .with_hint("make a dataset with: helio data run");
  return parts;
}

std::string row_text(const Json& row, const std::string& key) {
  const auto found = row.find(key);
  if (found != row.end() && found->is_string()) return found->get<std::string>();
  std::string keys;
  for (const auto& [name, value] : row.items()) keys += (keys.empty() ? "" : ", ") + name;
  throw Error(ErrorKind::invalid,
              found == row.end() ? "no field '" + key + "'" : "field '" + key + "' is no text")
      .with_hint("the row has: " + (keys.empty() ? "nothing" : keys.substr(0, 300)));
}

int thread_count(int64_t asked) {
  if (asked > 0) return static_cast<int>(std::min<int64_t>(asked, 256));
  return hardware_threads();
}

}  // namespace helio::text
