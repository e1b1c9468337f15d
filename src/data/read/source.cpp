#include "data/read/source.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/fs.h"
#include "data/read/file_format.h"
#include "data/read/file_reader.h"
#include "data/read/remote.h"
#include "data/read/zip.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

// How much of a text is looked at to find its encoding.
constexpr size_t kHead = size_t(64) << 10;

// A file that could not even be opened.
class RefusedFile final : public FileReader {
 public:
  explicit RefusedFile(std::string reason) : reason_(std::move(reason)) {}
  bool is_one_document() const override { return true; }
  bool next(Block& block, size_t) override {
    if (reason_.empty()) return false;
    block.bytes.clear();
    block.refused = std::move(reason_);
    reason_.clear();
    return true;
  }
  void parse(const Block&, DocumentSink&) const override {}

 private:
  std::string reason_;
};

class Source final : public SourceReader {
 public:
  Source(const SourceOptions& options, const std::string& lot) : options_(options), lot_(lot) {
    for (SourceFile& file : source_files(options)) {
      if (is_zip(file)) take_members(file);
      else files_.push_back(std::move(file));
    }
    std::sort(files_.begin(), files_.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.relative < b.relative; });
    for (const SourceFile& file : files_) total_ += file.size;
    readers_.resize(files_.size());
  }

  const std::vector<SourceFile>& files() const override { return files_; }
  uint64_t bytes_total() const override { return total_; }
  uint64_t bytes_read() const override { return consumed_; }

  bool next(Block& block, size_t bytes) override {
    for (; current_ < files_.size(); ++current_) {
      const SourceFile& file = files_[current_];
      const bool more = in_context([&] { return "reading " + file.relative; },
                                   [&] {
                                     if (!readers_[current_]) readers_[current_] = open(file);
                                     block.file = current_;
                                     block.first_row = block.rows = 0;
                                     block.row_group = -1;
                                     block.refused.clear();
                                     return readers_[current_]->next(block, bytes);
                                   });
      if (more) return true;
    }
    return false;
  }

  void parse(const Block& block, std::vector<Document>& out, ReadTally& tally) const override {
    HELIO_CHECK(block.file < files_.size() && readers_[block.file], "a piece of another source");
    const FileReader& reader = *readers_[block.file];
    DocumentSink sink(options_, lot_, files_[block.file], out, tally);
    if (block.refused.empty()) reader.parse(block, sink);
    else if (reader.is_one_document()) sink.bad_file(block.refused);
    else sink.bad_row(block.first_row, block.refused);
  }

 private:
  bool is_zip(const SourceFile& file) const {
    if (is_remote(file.path.native()) || options_.format == "parquet" || options_.format == "arrow")
      return false;
    PeekStream stream(open_file(file.path));
    return format_by_bytes(stream.peek(8)) == FileFormat::zip;
  }

  void take_members(const SourceFile& archive) {
    try {
      for (const ZipMember& member : list_zip(archive.path)) {
        if (options_.format == "auto" && !format_by_name(member.name)) continue;
        SourceFile file{.path = archive.path,
                        .relative = archive.relative + "/" + member.name,
                        .member = member.name,
                        .size = member.compressed};
        if (!members_.emplace(file.relative, member).second)
          throw Error(ErrorKind::invalid, "it holds '" + member.name + "' twice");
        files_.push_back(std::move(file));
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::invalid) throw;
      std::erase_if(files_, [&](const SourceFile& file) { return file.path == archive.path; });
      refused_.emplace(archive.relative, error.message());
      files_.push_back(archive);
    }
  }

  Reader open(const SourceFile& file) {
    try {
      if (const auto refused = refused_.find(file.relative); refused != refused_.end())
        throw Error(ErrorKind::invalid, refused->second);
      return open_readable(file);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::invalid || unclear_) throw;
      return std::make_unique<RefusedFile>(error.message());
    }
  }

  Stream raw(const SourceFile& file) {
    if (const auto member = members_.find(file.relative); member != members_.end())
      return open_zip_member(file.path, member->second, &consumed_);
    if (is_remote(file.path.native())) return open_remote(file.path.string(), &consumed_);
    return open_file(file.path, &consumed_);
  }

  Reader open_readable(const SourceFile& file) {
    auto stream = std::make_unique<PeekStream>(raw(file));
    FileFormat format = choose(file, format_by_bytes(stream->peek(8)));
    if (format == FileFormat::parquet || format == FileFormat::arrow) {
      if (!file.member.empty())
        throw Error(ErrorKind::invalid, "tables inside a zip cannot be read; unpack it");
      stream.reset();
      return read_columnar_file(options_, file, format == FileFormat::parquet);
    }
    auto text = std::make_unique<PeekStream>(decompressed(std::move(stream)));
    format = choose(file, format_by_bytes(text->peek(8)));
    if (format == FileFormat::web_archive) return read_web_archive(options_, std::move(text));
    if (format == FileFormat::html) return read_page_file(options_, std::move(text));
    const std::string_view head = text->peek(kHead);
    const Encoding encoding = encoding_of(head);
    if (head.starts_with("\xEF\xBB\xBF")) drop(*text, 3);
    else if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) drop(*text, 2);
    Stream utf8 = std::move(text);
    const bool wide = encoding == Encoding::utf16le || encoding == Encoding::utf16be;
    if (wide) utf8 = utf16_stream(std::move(utf8), encoding);
    return open_text(format, std::move(utf8), wide ? Encoding::utf8 : encoding);
  }

  Reader open_text(FileFormat format, Stream text, Encoding encoding) const {
    const char delimiter = options_.delimiter.empty() ? (format == FileFormat::tsv ? '\t' : ',')
                                                      : options_.delimiter[0];
    const bool quotes =
        options_.quotes == "double" || (options_.quotes == "auto" && format == FileFormat::csv);
    switch (format) {
      case FileFormat::json:
        return read_json_file(options_, std::move(text), encoding);
      case FileFormat::csv:
      case FileFormat::tsv:
        return read_table_file(options_, std::move(text), encoding, delimiter, quotes);
      case FileFormat::text:
      case FileFormat::markdown:
        return read_text_file(options_, std::move(text), encoding, format == FileFormat::markdown);
      default:
        return read_jsonl_file(options_, std::move(text), encoding);
    }
  }

  static void drop(ByteStream& stream, size_t bytes) {
    char mark[4];
    stream.read(mark, bytes);
  }

  Encoding encoding_of(std::string_view head) const {
    const std::string& name = options_.encoding;
    if (name == "utf-8") return Encoding::utf8;
    if (name == "utf-16")
      return head.starts_with("\xFE\xFF") ? Encoding::utf16be : Encoding::utf16le;
    if (name != "auto") return Encoding::cp949;
    return detect_encoding(head, head.size() < kHead);
  }

  FileFormat choose(const SourceFile& file, std::optional<FileFormat> seen) {
    if (const auto stated = format_named(options_.format)) return *stated;
    if (seen && *seen != FileFormat::zip) return *seen;
    const auto named = format_by_name(file.relative);
    if (named && named != FileFormat::zip) return *named;
    unclear_ = true;  // not the file's fault: never counted as a bad one
    throw Error(ErrorKind::invalid, "cannot tell what kind of file '" + file.path.string() + "' is")
        .with_hint(
            "set format: jsonl, json, csv, tsv, text, markdown, html, parquet, arrow or warc");
  }

  SourceOptions options_;
  std::string lot_;
  std::vector<SourceFile> files_ = {};
  std::map<std::string, ZipMember> members_ = {};
  std::map<std::string, std::string> refused_ = {};
  std::vector<Reader> readers_ = {};
  std::atomic<uint64_t> consumed_ = 0;
  uint64_t total_ = 0;
  size_t current_ = 0;
  bool unclear_ = false;
};

}  // namespace

void DocumentSink::file(std::string text, const char* format, RowFacts facts) {
  give(file_.relative, file_.relative, -1, std::move(text), format, std::move(facts));
}

void DocumentSink::row(int64_t row, std::string text, const char* format, RowFacts facts) {
  const std::string number = std::to_string(row + 1);
  give(file_.relative + "#" + number, file_.relative + ":" + number, row, std::move(text), format,
       std::move(facts));
}

void DocumentSink::bad_row(int64_t row, const std::string& reason) {
  bad(file_.relative + ":" + std::to_string(row + 1), reason);
}

void DocumentSink::bad_file(const std::string& reason) { bad(file_.relative, reason); }

void DocumentSink::give(std::string name, const std::string& place, int64_t row, std::string text,
                        const char* format, RowFacts facts) {
  if (!text::is_valid_utf8(text)) return bad(place, "its bytes are not UTF-8");
  if (text::trim(text).empty()) {
    ++tally_.empty;
    return;
  }
  ++tally_.documents;
  Document document;
  document.id = lot_ + "/" + (facts.id.empty() ? name : facts.id);
  document.text = std::move(text);
  document.format = format;
  document.path = std::move(name);
  document.row = row;
  document.url = text::repair_utf8(facts.url);
  document.language = text::repair_utf8(facts.language);
  document.meta = std::move(facts.meta);
  if (!file_.split.empty()) document.split = file_.split;
  out_.push_back(std::move(document));
}

void DocumentSink::bad(const std::string& place, const std::string& reason) {
  if (options_.on_error == "fail")
    throw Error(ErrorKind::invalid, place + ": " + reason)
        .with_hint("mend it, or set on_error: skip to leave such rows out and count them");
  ++tally_.bad;
  if (tally_.first_bad.size() < kFirstBad) tally_.first_bad.push_back({place, reason});
}

std::unique_ptr<SourceReader> open_source(const SourceOptions& options, const std::string& lot) {
  return std::make_unique<Source>(options, lot);
}

}  // namespace helio::data
