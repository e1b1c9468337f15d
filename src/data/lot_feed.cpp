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
    Block& block = piece.block;
    block.bytes.clear();
    block.rows = 0;
    std::string_view line;
    while (block.bytes.size() < bytes && lines_->next(line)) {
      if (block.rows++ == 0) block.first_row = lines_->number() - 1;
      (block.bytes += line) += '\n';
    }
    return block.rows > 0;
  }

  std::vector<Document> parse(const Piece& piece, ReadTally&) const override {
    const Block& block = piece.block;
    const auto place = [&](int64_t row) {
      return file_.string() + ":" + std::to_string(block.first_row + row + 1);
    };
    thread_local simdjson::ondemand::parser parser;
    std::vector<Document> documents;
    documents.reserve(size_t(block.rows));
    std::string padded;
    std::string_view rest = block.bytes;
    for (int64_t row = 0; row < block.rows; ++row) {
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
        throw Error(ErrorKind::invalid, place(row) + ": not a document: " + error.what())
            .with_hint("helio club verify says what else is wrong with the lot");
      }
      if (document.id.empty())
        throw Error(ErrorKind::invalid, place(row) + ": a document without an id");
      document.lot = info_.lot, document.partner = info_.partner;
      document.licence = info_.licence, document.language = info_.language;
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
