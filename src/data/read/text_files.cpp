// Text, Markdown and HTML files.
#include "core/error.h"
#include "data/read/file_reader.h"
#include "data/read/row_lines.h"
#include "text/unicode.h"

namespace helio::data {
namespace {

// A Markdown file may begin with a block of settings between two lines of three hyphens.
void drop_front_matter(std::string& text) {
  if (!text.starts_with("---\n") && !text.starts_with("---\r\n")) return;
  for (size_t at = text.find('\n') + 1; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at = end + 1;
    if (line == "---" || line == "...") {
      text.erase(0, std::min(at, text.size()));
      return;
    }
  }
}

class TextReader final : public FileReader {
 public:
  TextReader(const SourceOptions& options, Stream text, Encoding encoding, bool markdown)
      : whole_(options.documents == "file"),
        lines_(options.documents == "line"),
        drop_front_(markdown && options.front_matter == "drop"),
        max_record_(static_cast<size_t>(options.max_record)),
        encoding_(encoding),
        cutter_(whole_   ? cut_nothing(std::move(text), max_record_)
                : lines_ ? cut_lines(std::move(text), max_record_)
                         : cut_paragraphs(std::move(text), max_record_)) {}

  bool is_one_document() const override { return whole_; }

  bool next(Block& block, size_t bytes) override {
    if (cutter_ && cutter_->next(block, bytes)) return given_ = true;
    cutter_.reset();
    // An empty file is a document, though an empty one: it is counted.
    return whole_ && !std::exchange(given_, true);
  }

  void parse(const Block& block, DocumentSink& sink) const override {
    if (whole_) {
      auto text = to_utf8(block.bytes, encoding_);
      if (!text) return sink.bad_file(wrong_bytes(encoding_));
      if (drop_front_) drop_front_matter(*text);
      return sink.file(std::move(*text), "text");
    }
    std::string paragraph;
    int64_t first = 0;
    const auto end = [&] {
      if (!paragraph.empty()) give(paragraph, first, sink);
      paragraph.clear();
    };
    for_each_line(block.bytes, block.first_row, [&](std::string_view line, int64_t row) {
      if (lines_) return give(line, row, sink);
      if (text::trim(line).empty()) return end();
      if (paragraph.empty()) first = row;
      else paragraph += '\n';
      paragraph += line;
    });
    end();
  }

 private:
  void give(std::string_view text, int64_t row, DocumentSink& sink) const {
    if (text.size() > max_record_) return sink.bad_row(row, too_long(max_record_));
    if (auto utf8 = to_utf8(text, encoding_)) sink.row(row, std::move(*utf8));
    else sink.bad_row(row, wrong_bytes(encoding_));
  }

  bool whole_, lines_, drop_front_;
  size_t max_record_;
  Encoding encoding_;
  std::unique_ptr<Cutter> cutter_;
  bool given_ = false;
};

class PageReader final : public FileReader {
 public:
  PageReader(const SourceOptions& options, Stream bytes)
      : stated_(options.encoding == "auto" ? "" : options.encoding),
        cutter_(cut_nothing(std::move(bytes), static_cast<size_t>(options.max_record))) {}

  bool is_one_document() const override { return true; }

  bool next(Block& block, size_t bytes) override {
    if (cutter_ && cutter_->next(block, bytes)) return given_ = true;
    cutter_.reset();
    return !std::exchange(given_, true);
  }

  void parse(const Block& block, DocumentSink& sink) const override {
    std::string why;
    if (auto page = page_to_utf8(block.bytes, stated_, why)) sink.file(std::move(*page), "html");
    else sink.bad_file(why);
  }

 private:
  std::string stated_;
  std::unique_ptr<Cutter> cutter_;
  bool given_ = false;
};

}  // namespace

Reader read_text_file(const SourceOptions& options, Stream text, Encoding encoding, bool markdown) {
  return std::make_unique<TextReader>(options, std::move(text), encoding, markdown);
}

Reader read_page_file(const SourceOptions& options, Stream bytes) {
  return std::make_unique<PageReader>(options, std::move(bytes));
}

}  // namespace helio::data
