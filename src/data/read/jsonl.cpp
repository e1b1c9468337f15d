// JSONL: an object a line.
#include <simdjson.h>

#include "data/read/json_rows.h"
#include "data/read/row_lines.h"

namespace helio::data {
namespace {

class JsonlReader final : public FileReader {
 public:
  JsonlReader(const SourceOptions& options, Stream text, Encoding encoding)
      : rows_(options),
        max_record_(static_cast<size_t>(options.max_record)),
        encoding_(encoding),
        cutter_(cut_lines(std::move(text), max_record_)) {}

  bool next(Block& block, size_t bytes) override {
    if (!cutter_->next(block, bytes)) {
      cutter_.reset();
      return false;
    }
    // Room for the parser's wide loads, so that no line has to be copied.
    block.bytes.reserve(block.bytes.size() + simdjson::SIMDJSON_PADDING);
    return true;
  }

  void parse(const Block& block, DocumentSink& sink) const override {
    const char* end = block.bytes.data() + block.bytes.capacity();
    for_each_line(block.bytes, block.first_row, [&](std::string_view line, int64_t row) {
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
      if (line.size() > max_record_) return sink.bad_row(row, too_long(max_record_));
      if (encoding_ == Encoding::utf8 || text::is_valid_utf8(line))
        return rows_.give(line, static_cast<size_t>(end - line.data()) - line.size(), row, sink);
      if (const auto converted = to_utf8(line, encoding_)) rows_.give(*converted, 0, row, sink);
      else sink.bad_row(row, wrong_bytes(encoding_));
    });
  }

 private:
  JsonRows rows_;
  size_t max_record_;
  Encoding encoding_;
  std::unique_ptr<Cutter> cutter_;
};

}  // namespace

Reader read_jsonl_file(const SourceOptions& options, Stream text, Encoding encoding) {
  return std::make_unique<JsonlReader>(options, std::move(text), encoding);
}

}  // namespace helio::data
