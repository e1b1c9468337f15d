#include "eval/heldout_documents.h"

#include <algorithm>

#include "core/error.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/lines.h"
#include "core/manifest.h"

namespace helio::eval {
namespace {

const std::string& text_of(const Json& row, const char* key, const fs::path& file, int64_t line) {
  const auto found = row.is_object() ? row.find(key) : row.end();
  if (!row.is_object() || found == row.end() || !found->is_string())
    throw Error(ErrorKind::invalid, file.string() + ":" + std::to_string(line) +
                                        ": a document has no text '" + key + "'");
  return found->get_ref<const std::string&>();
}

}  // namespace

HeldoutDocuments load_heldout(const std::string& dataset, int64_t seed) {
  if (!fs::is_directory(dataset))
    throw Error(ErrorKind::not_found, "no folder '" + dataset + "' (dataset)")
        .with_hint("`helio data run` makes one");
  HeldoutDocuments out;
  int64_t files = 0;
  for (const auto& file : list_files(dataset, {".jsonl", ".jsonl.gz", ".jsonl.zst"})) {
    if (file.parent_path() != fs::path(dataset) || !file.filename().string().starts_with("part-"))
      continue;
    ++files;
    read_jsonl(file, [&](const Json& row, int64_t line) {
      if (text_of(row, "split", file, line) != "heldout") return;
      out.by_language[text_of(row, "language", file, line)].push_back(
          {text_of(row, "id", file, line), text_of(row, "text", file, line)});
    });
  }
  if (files == 0)
    throw Error(ErrorKind::invalid, "'" + dataset + "' has no part-*.jsonl files")
        .with_hint("`helio data run` makes them");
  for (auto& [language, documents] : out.by_language) {
    const auto key = [&](const HeldoutDocument& d) {
      return std::make_pair(xxh3_64(d.id, static_cast<uint64_t>(seed)), std::string_view(d.id));
    };
    std::sort(documents.begin(), documents.end(),
              [&](const auto& a, const auto& b) { return key(a) < key(b); });
  }
  out.content = has_manifest(dataset) ? load_manifest(dataset).content
                                      : describe_input("dataset", dataset).content;
  return out;
}

}  // namespace helio::eval
