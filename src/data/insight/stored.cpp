#include "data/insight/stored.h"

#include <simdjson.h>

#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"

namespace helio::data {
namespace {

namespace ondemand = simdjson::ondemand;

// `field` is what simdjson's iterators give: a field, or the error met on the way to it.
template <class Field>
void read_field(Field&& field, StoredRow& row, std::vector<std::string>& changed) {
  const std::string_view key = field.unescaped_key();
  std::string_view* to = key == "id"         ? &row.id
                         : key == "text"     ? &row.text
                         : key == "lot"      ? &row.lot
                         : key == "partner"  ? &row.partner
                         : key == "licence"  ? &row.licence
                         : key == "language" ? &row.language
                         : key == "path"     ? &row.path
                         : key == "url"      ? &row.url
                         : key == "split"    ? &row.split
                         : key == "cluster"  ? &row.cluster
                         : key == "step"     ? &row.step
                         : key == "reason"   ? &row.reason
                                             : nullptr;
  if (to) *to = std::string_view(field.value().get_string());
  else if (key == "meta") row.meta = std::string_view(simdjson::to_json_string(field.value()));
  else if (key == "scores") row.scores = std::string_view(simdjson::to_json_string(field.value()));
  else if (key == "changed")
    for (auto step : field.value().get_array())
      changed.emplace_back(std::string_view(step.get_string()));
  else if (key == "number") row.number = field.value().get_uint64();
  else if (key == "value" && field.value().get_double().get(row.value)) row.value = 0;
}

}  // namespace

void read_rows(const std::filesystem::path& dataset, Rows which,
               const std::function<void(const StoredRow&)>& visit) {
  const fs::path dir = which == Rows::kept ? dataset : dataset / "dropped";
  if (!fs::is_directory(dir)) return;
  ondemand::parser parser;
  std::string padded;
  std::vector<std::string> changed;
  for (const fs::path& file : list_files(dir, {".jsonl.zst", ".jsonl"})) {
    if (file.parent_path() != dir || !file.filename().string().starts_with("part-")) continue;
    LineReader lines(file);
    for (std::string_view line; lines.next(line);) {
      padded.assign(line);
      padded.reserve(padded.size() + simdjson::SIMDJSON_PADDING);
      StoredRow row;
      row.line = line;
      changed.clear();
      try {
        ondemand::document json = parser.iterate(padded);
        for (auto field : json.get_object()) read_field(field, row, changed);
      } catch (const simdjson::simdjson_error& error) {
        throw Error(ErrorKind::invalid, file.string() + ":" + std::to_string(lines.number()) +
                                            ": not a row of a dataset: " + error.what())
            .with_hint("helio data run writes the dataset again");
      }
      row.changed = changed;
      visit(row);
    }
  }
}

void throw_damaged(const std::filesystem::path& dataset, const std::string& what) {
  throw Error(ErrorKind::invalid, "dataset '" + dataset.string() + "' is damaged: " + what)
      .with_hint("helio verify says which file; helio data run writes it again");
}

Document document_of(const Json& row) {
  Document document;
  const auto text = [&](const char* key) { return row.value(key, std::string()); };
  document.id = text("id"), document.text = text("text"), document.lot = text("lot");
  document.partner = text("partner"), document.licence = text("licence");
  document.language = text("language"), document.path = text("path"), document.url = text("url");
  document.split = row.value("split", std::string("train"));
  document.row = row.value("row", int64_t(-1));
  document.order = row.value("number", uint64_t(0));
  if (row.contains("meta")) document.meta = row.at("meta").dump();
  if (row.contains("scores"))
    for (const auto& [name, score] : row.at("scores").items())
      if (score.is_number()) document.scores[name] = score.get<double>();
  return document;
}

StoredDataset::StoredDataset(const std::filesystem::path& dataset)
    : path(dataset), manifest(load_manifest(dataset)) {
  if (manifest.kind != "dataset")
    throw Error(ErrorKind::invalid,
                "'" + dataset.string() + "' is a " + manifest.kind + ", not a dataset");
  account = load_json(dataset / "dataset.json");
}

Node StoredDataset::steps_node() const {
  OrderedJson list = OrderedJson::array();
  const auto steps = manifest.options.find("steps");
  if (steps == manifest.options.end() || !steps->is_array())
    throw Error(ErrorKind::invalid,
                "'" + path.string() + "' does not say by which steps it was made");
  for (const auto& step : *steps) {
    OrderedJson entry{{"op", step.at("op")}};
    if (step.contains("for")) entry["for"] = step.at("for");
    for (const auto& [key, value] : step.at("options").items())
      if (!value.is_null()) entry[key] = value;
    list.push_back(std::move(entry));
  }
  return parse_yaml(compact(list), "manifest of " + path.string());
}

std::vector<Step> StoredDataset::steps() const {
  return in_context(
      [&] { return "making the steps again that version " + manifest.version + " ran"; },
      [&] { return read_steps(steps_node()); });
}

}  // namespace helio::data
