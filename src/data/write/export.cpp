#include "data/write/export.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/fs.h"
#include "core/options.h"
#include "data/insight/stored.h"
#include "data/memory_size.h"
#include "data/read/source_files.h"
#include "data/write/row_writer.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// Replacing a folder of someone's own files would lose them.
void refuse_foreign(const fs::path& folder) {
  if (!fs::is_directory(folder)) return;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool ours =
        name.starts_with("part-") && (name.ends_with(".parquet") || name.ends_with(".arrow"));
    if (!ours)
      throw Error(ErrorKind::invalid,
                  "'" + folder.string() + "' holds '" + name + "', which no export wrote")
          .with_hint("an export replaces its folder: name one of its own");
  }
}

int64_t count_documents(const StoredDataset& dataset, const std::string& split) {
  const Json& account = dataset.account;
  if (split.empty()) return account.at("out").at("documents").get<int64_t>();
  const Json& splits = account.at("splits");
  if (!splits.contains(split)) {
    std::string known;
    for (const auto& [name, amount] : splits.items()) known += (known.empty() ? "" : ", ") + name;
    throw Error(ErrorKind::usage, "the dataset has no split '" + split + "'")
        .with_hint("its splits: " + known);
  }
  return splits.at(split).at("documents").get<int64_t>();
}

}  // namespace

std::vector<std::string_view> chunks_of(std::string_view text, int64_t words) {
  std::vector<std::string_view> chunks;
  size_t begin = 0, end = 0;
  int64_t held = 0;
  text::for_each_word(text, [&](std::string_view word) {
    if (held == words) {
      chunks.push_back(text.substr(begin, end - begin));
      held = 0;
    }
    const auto at = static_cast<size_t>(word.data() - text.data());
    if (held++ == 0) begin = at;
    end = at + word.size();
  });
  if (held > 0) chunks.push_back(text.substr(begin, end - begin));
  return chunks;
}

std::vector<ExportOptions> read_exports(const Node& node) {
  std::vector<ExportOptions> exports;
  if (node.is_null()) return exports;
  if (!node.is_list())
    throw Error(ErrorKind::invalid, node.mark().str() + ": 'exports' is a list")
        .with_hint("exports: [{path: out/parquet, format: parquet}]");
  for (const Node& item : node.items()) {
    ExportOptions& one = exports.emplace_back();
    if (item.is_scalar()) one.path = item.text();
    else read_options(item, helio::describe(one));
    parse_memory(one.shard);
    if (one.path.empty())
      throw Error(ErrorKind::invalid, item.mark().str() + ": an export without a 'path'");
  }
  return exports;
}

Exported export_dataset(const fs::path& path, const ExportOptions& options, Monitor& monitor,
                        const StopRequest& stop) {
  const StoredDataset dataset(path);
  const int64_t total = reading(path, [&] { return count_documents(dataset, options.split); });
  const bool remote = is_remote(options.path);
  std::unique_ptr<StagedDir> staged;
  if (!remote) {
    refuse_foreign(options.path);
    staged = std::make_unique<StagedDir>(options.path);
  }
  const auto writer =
      open_row_writer(remote ? options.path : staged->path().string(),
                      {.kind = options.format == "arrow" ? TableKind::arrow : TableKind::parquet,
                       .shard_bytes = parse_memory(options.shard)});
  monitor.begin("writing " + options.format, total, "documents");
  Exported exported;
  read_rows(path, Rows::kept, [&](const StoredRow& stored) {
    if (!options.split.empty() && stored.split != options.split) return;
    OutRow row{.id = stored.id,
               .text = stored.text,
               .lot = stored.lot,
               .partner = stored.partner,
               .licence = stored.licence,
               .language = stored.language,
               .split = stored.split,
               .path = stored.path,
               .url = stored.url,
               .meta = stored.meta,
               .cluster = stored.cluster,
               .scores = stored.scores,
               .changed = stored.changed};
    const auto chunks = options.chunk_words > 0 ? chunks_of(row.text, options.chunk_words)
                                                : std::vector<std::string_view>{row.text};
    for (size_t i = 0; i < chunks.size(); ++i) {
      const std::string id = chunks.size() > 1 ? fmt::format("{}#{}", stored.id, i) : "";
      row.text = chunks[i];
      if (!id.empty()) row.id = id;
      writer->write(row);
      ++exported.rows;
    }
    if (++exported.documents % 256 == 0) {
      stop.check();
      monitor.at(exported.documents);
    }
  });
  writer->close();
  exported.files = writer->shards();
  if (staged) staged->commit();
  monitor.end();
  return exported;
}

}  // namespace helio::data
