#include "data/read/read_source.h"

#include "core/error.h"

namespace helio::data {

ReadSummary read_source(const SourceOptions& options, const std::string& lot,
                        const std::function<void(club::LotDocument)>& sink, Monitor& monitor,
                        const StopRequest& stop) {
  constexpr size_t kPiece = size_t(1) << 20;
  const auto source = open_source(options, lot);
  ReadSummary summary;
  summary.files = static_cast<int64_t>(source->files().size());
  monitor.begin("reading " + lot, summary.files, "files");
  Block block;
  for (std::vector<Document> documents; source->next(block, kPiece); documents.clear()) {
    stop.check();
    in_context([&] { return "reading " + source->files()[block.file].path.string(); },
               [&] { source->parse(block, documents, summary); });
    for (Document& document : documents)
      sink({.id = std::move(document.id),
            .text = std::move(document.text),
            .format = std::move(document.format),
            .path = std::move(document.path)});
    monitor.at(static_cast<int64_t>(block.file));
  }
  monitor.end(std::to_string(summary.documents) + " documents");
  return summary;
}

}  // namespace helio::data
