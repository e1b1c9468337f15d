#include <simdjson.h>

#include "core/error.h"
#include "core/fs.h"
#include "core/lines.h"
#include "data/feed.h"

namespace helio::data {
namespace {

class LotFeed final : public Feed {
 public:
  explicit LotFeed(const fs::path& lot)
      : info_(club::LotReader(lot).info()),
        file_(lot / club::kDocumentsName),
        lines_(std::make_unique<LineReader>(file_)) {}

  bool next(Piece& piece, size_t bytes) override {
    piece.bytes.clear();
    piece.rows = 0;
    std::string_view line;
    while (piece.bytes.size() < bytes && lines_->next(line)) {
      if (piece.rows++ == 0) piece.first_line = lines_->number();
      (piece.bytes += line) += '\n';
    }
    return piece.rows > 0;
  }

  std::vector<Document> parse(const Piece& piece) const override {
    thread_local simdjson::ondemand::parser parser;
    std::vector<Document> documents;
    documents.reserve(piece.rows);
    std::string padded;
    std::string_view rest = piece.bytes;
    for (uint64_t row = 0; row < piece.rows; ++row) {
      const size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      padded.assign(line);
      padded.reserve(padded.size() + simdjson::SIMDJSON_PADDING);
      Document& document = documents.emplace_back();
      try {
        simdjson::ondemand::document json = parser.iterate(padded);
        for (auto field : json.get_object()) {
          const std::string_view key = field.unescaped_key();
          std::string* to = key == "id"       ? &document.id
                            : key == "text"   ? &document.text
                            : key == "format" ? &document.format
                            : key == "path"   ? &document.path
                                              : nullptr;
          if (to) *to = std::string_view(field.value().get_string());
        }
      } catch (const simdjson::simdjson_error& error) {
        throw Error(ErrorKind::invalid,
                    file_.string() + ":" + std::to_string(piece.first_line + int64_t(row)) +
                        ": not a document: " + error.what())
            .with_hint("helio club verify says what else is wrong with the lot");
      }
      if (document.id.empty())
        throw Error(ErrorKind::invalid,
                    file_.string() + ":" + std::to_string(piece.first_line + int64_t(row)) +
                        ": a document without an id");
      document.lot = info_.lot, document.partner = info_.partner;
      document.licence = info_.licence, document.language = info_.language;
      document.order = piece.first_order + row;
    }
    return documents;
  }

  const club::LotInfo& info() const override { return info_; }
  uint64_t bytes_read() const override { return lines_->bytes_read(); }
  uint64_t bytes_total() const override { return lines_->bytes_total(); }

 private:
  club::LotInfo info_;
  fs::path file_;
  std::unique_ptr<LineReader> lines_;
};

}  // namespace

std::unique_ptr<Feed> open_lot_feed(const std::filesystem::path& lot) {
  return std::make_unique<LotFeed>(lot);
}

}  // namespace helio::data
