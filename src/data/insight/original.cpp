#include "data/insight/original.h"

#include <algorithm>

#include "club/lot.h"
#include "club/roster.h"
#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "core/options.h"
#include "data/feed.h"

namespace helio::data {
namespace {

constexpr int kDepth = 3;              // folders below the one that is searched
constexpr size_t kMostFolders = 5000;  // a workspace in a home folder must not cost minutes

// Folders with a manifest under `root`, without going into artefacts or hidden folders.
void collect(const fs::path& root, int depth, std::vector<fs::path>& found, size_t& visited) {
  std::error_code ignored;
  if (visited++ > kMostFolders) return;
  if (has_manifest(root)) {
    found.push_back(root);
    return;
  }
  if (depth == 0) return;
  std::vector<fs::path> below;
  for (const auto& entry : fs::directory_iterator(root, ignored))
    if (entry.is_directory(ignored) && !entry.path().filename().string().starts_with('.'))
      below.push_back(entry.path());
  std::sort(below.begin(), below.end());
  for (const fs::path& folder : below) collect(folder, depth - 1, found, visited);
}

bool is_input(const StoredDataset& dataset, const fs::path& folder) {
  try {
    const Manifest manifest = load_manifest(folder);
    return std::any_of(
        dataset.manifest.inputs.begin(), dataset.manifest.inputs.end(),
        [&](const ArtefactInput& input) { return input.content == manifest.content; });
  } catch (const Error&) {
    return false;  // a damaged neighbour is not what is asked about
  }
}

// The lots in a folder of lots, or the lot itself.
std::vector<fs::path> lots_in(const fs::path& folder) {
  const std::string kind = load_manifest(folder).kind;
  if (kind == "lot") return {folder};
  std::vector<fs::path> lots;
  if (kind == "lots")
    for (const auto& entry : club::load_roster(folder).lots) lots.push_back(entry.path);
  return lots;
}

std::optional<Original> in_lot(const fs::path& lot, const std::string& id, const Json& row) {
  const club::LotInfo info = club::LotReader(lot).info();
  if (info.lot != row.value("lot", "")) return {};
  const std::string quoted = Json(id).dump();
  LineReader lines(lot / club::kDocumentsName);
  for (std::string_view line; lines.next(line);) {
    if (line.find(quoted) == line.npos) continue;
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || json.value("id", "") != id) continue;
    Original original;
    Document& document = original.document;
    document.id = id, document.text = json.value("text", "");
    document.format = json.value("format", "text"), document.path = json.value("path", "");
    document.lot = info.lot, document.partner = info.partner;
    document.licence = info.licence, document.language = info.language;
    document.order = row.value("number", uint64_t(0));
    document.row = row.value("row", int64_t(-1)), document.url = row.value("url", "");
    original.from = lot.string();
    return original;
  }
  return {};
}

// In the files that were read without an import, when they are still where they were.
std::optional<Original> in_files(const StoredDataset& dataset, const Json& row) {
  if (!dataset.manifest.options.contains("inputs")) return {};
  const std::string id = row.value("id", ""), lot = row.value("lot", "");
  try {
    for (const InputOptions& input :
         read_inputs(parse_yaml(compact(dataset.manifest.options["inputs"]), "inputs"))) {
      if (input.lot != lot) continue;
      const auto feed = open_input_feed(input);
      ReadTally tally;
      for (Piece piece; feed->next(piece, size_t(1) << 20);)
        for (Document& document : feed->parse(piece, tally)) {
          if (document.id != id) continue;
          document.order = row.value("number", uint64_t(0));
          return Original{.document = std::move(document), .from = input.files.path};
        }
    }
  } catch (const Error&) {}  // moved or changed since: there is no original to show
  return {};
}

}  // namespace

std::optional<Original> find_original(const StoredDataset& dataset, const Json& row,
                                      const std::vector<std::string>& where) {
  std::vector<fs::path> folders;
  size_t visited = 0;
  for (const std::string& folder : where) {
    if (!fs::is_directory(folder))
      throw Error(ErrorKind::not_found, "'" + folder + "' is no folder of inputs");
    collect(folder, kDepth, folders, visited);
  }
  if (where.empty()) {
    fs::path above = fs::absolute(dataset.path).lexically_normal();
    if (!above.has_filename()) above = above.parent_path();
    above = above.parent_path();
    collect(above, 1, folders, visited);
    if (above.has_parent_path()) collect(above.parent_path(), kDepth, folders, visited);
  }
  const std::string id = row.value("id", "");
  for (const fs::path& folder : folders) {
    if (fs::equivalent(folder, dataset.path)) continue;
    // A folder that was named is believed: the lot may have been sealed again by another version.
    if (where.empty() && !is_input(dataset, folder)) continue;
    for (const fs::path& lot : lots_in(folder))
      if (auto found = in_lot(lot, id, row)) return found;
  }
  return in_files(dataset, row);
}

}  // namespace helio::data
