#include "data/explain.h"

#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "core/manifest.h"

namespace helio::data {
namespace {

// The row as it was written when its id is the one sought. Most rows are passed over by a search
// for the id's bytes; only what may be it is parsed.
bool find_row(const fs::path& dir, const std::string& id, OrderedJson& row, std::string& alike) {
  const std::string quoted = Json(id).dump();
  const size_t slash = id.rfind('/');
  const std::string name = slash == id.npos ? id : id.substr(slash + 1);
  for (const fs::path& file : list_files(dir, {".jsonl.zst"})) {
    if (file.parent_path() != dir) continue;
    LineReader lines(file);
    for (std::string_view line; lines.next(line);) {
      const std::string_view head = line.substr(0, 4096);
      if (head.find(quoted) == head.npos) {
        if (alike.empty() && !name.empty() && head.substr(0, 512).find(name) != head.npos)
          alike = Json::parse(line)["id"].get<std::string>();
        continue;
      }
      OrderedJson found = OrderedJson::parse(line, nullptr, false);
      if (found.is_object() && found.value("id", "") == id) {
        row = std::move(found);
        return true;
      }
    }
  }
  return false;
}

}  // namespace

OrderedJson explain(const std::filesystem::path& dataset, const std::string& id) {
  const Manifest manifest = load_manifest(dataset);
  if (manifest.kind != "dataset")
    throw Error(ErrorKind::invalid,
                "'" + dataset.string() + "' is a " + manifest.kind + ", not a dataset");
  OrderedJson row;
  std::string alike;
  const bool kept = find_row(dataset, id, row, alike);
  if (!kept && !find_row(dataset / "dropped", id, row, alike)) {
    Error error(ErrorKind::not_found, "the dataset has no document '" + id + "'");
    throw error.with_hint(alike.empty() ? "ids are <lot>/<path> or <lot>/<path>#<row>"
                                        : "one that is alike: " + alike);
  }
  OrderedJson story{{"id", id}, {"fate", kept ? "kept" : "dropped"}};
  for (const char* key : {"step", "reason", "value", "cluster", "lot", "partner", "language",
                          "split", "path", "scores", "changed", "text"})
    if (row.contains(key)) story[key] = row[key];
  return story;
}

}  // namespace helio::data
