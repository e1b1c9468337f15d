// WARC and WET (ISO 28500): the pages of a crawl, and the texts that Common Crawl made of them.
#include <charconv>

#include "core/json.h"
#include "data/read/file_reader.h"
#include "data/read/http_message.h"
#include "data/read/row_lines.h"
#include "text/utf8.h"

namespace helio::data {
namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMaxHead = size_t(64) << 10;

struct RecordHead {
  size_t size = 0;    // with its blank line
  uint64_t body = 0;  // Content-Length
};

// The head of the record that begins at text[0]. Nothing when it is not whole or not one.
std::optional<RecordHead> read_head(std::string_view text) {
  if (!text.starts_with("WARC/1.")) return std::nullopt;
  const std::string_view within = text.substr(0, kMaxHead);
  const size_t crlf = within.find("\r\n\r\n"), lf = within.find("\n\n");
  const size_t end = std::min(crlf, lf);
  if (end == kNone) return std::nullopt;
  RecordHead head{.size = end + (end == crlf ? 4 : 2)};
  const Headers headers(text.substr(0, head.size));
  const std::string_view length = headers.get("Content-Length");
  const auto [stop, problem] =
      std::from_chars(length.data(), length.data() + length.size(), head.body);
  if (length.empty() || problem != std::errc() || stop != length.data() + length.size() ||
      head.body > (uint64_t(1) << 50))
    return std::nullopt;
  return head;
}

// Records by their lengths. What is no record is passed over up to the next that is one.
class RecordCutter final : public Cutter {
 public:
  RecordCutter(Stream stream, size_t max_record)
      : Cutter(std::move(stream), max_record, Rows::records) {}

 protected:
  void start() override { state_ = State::gap, left_ = 0; }

  size_t record_end(std::string_view text, size_t begin, size_t& at, bool ended) override {
    if (state_ == State::gap) {
      while (at < text.size() && (text[at] == '\r' || text[at] == '\n')) ++at;
      if (at == text.size()) return kNone;
      const std::string_view rest = text.substr(at);
      if (const auto head = read_head(rest)) {
        left_ = head->size + head->body;
        state_ = State::record;
      } else if (!ended && rest.size() < kMaxHead && could_be_head(rest)) {
        return kNone;
      } else {
        ++at;
        state_ = State::junk;
      }
    }
    if (state_ == State::junk) {
      const size_t found = text.find("\nWARC/1.", at);
      if (found != kNone) return at = found + 1;
      // The mark may stand across what is there and what comes.
      at = ended ? text.size() : std::max(at, text.size() < 8 ? 0 : text.size() - 8);
      return ended && at > begin ? at : kNone;
    }
    const size_t step = static_cast<size_t>(std::min<uint64_t>(left_, text.size() - at));
    at += step;
    left_ -= step;
    if (left_ == 0) return at;
    cut_short_ = ended;
    return ended ? at : kNone;
  }
  std::string end_problem() override {
    return cut_short_ ? "the archive ends inside its last record" : "";
  }

 private:
  static bool could_be_head(std::string_view text) {
    return text.size() < 7 ? std::string_view("WARC/1.").starts_with(text)
                           : text.starts_with("WARC/1.") && text.find("\n\n") == kNone &&
                                 text.find("\r\n\r\n") == kNone;
  }
  enum class State { gap, record, junk };
  State state_ = State::gap;
  uint64_t left_ = 0;
  bool cut_short_ = false;
};

bool is_page(std::string_view type) {
  return type == "text/html" || type == "application/xhtml+xml";
}

class ArchiveReader final : public FileReader {
 public:
  ArchiveReader(const SourceOptions& options, Stream bytes)
      : max_record_(static_cast<size_t>(options.max_record)),
        keep_(options.keep_columns),
        cutter_(std::make_unique<RecordCutter>(std::move(bytes), max_record_)) {}

  bool next(Block& block, size_t bytes) override {
    if (cutter_ && cutter_->next(block, bytes)) return true;
    cutter_.reset();
    return false;
  }

  void parse(const Block& block, DocumentSink& sink) const override {
    const std::string_view text = block.bytes;
    int64_t row = block.first_row;
    for (size_t at = 0;; ++row) {
      while (at < text.size() && (text[at] == '\r' || text[at] == '\n')) ++at;
      if (at == text.size()) return;
      const std::string_view rest = text.substr(at);
      if (const auto head = read_head(rest)) {
        const size_t have = rest.size() - head->size;
        const size_t body = static_cast<size_t>(std::min<uint64_t>(head->body, have));
        // Half a record: the cutter tells that the archive was cut short.
        if (head->body <= have)
          record(rest.substr(0, head->size), rest.substr(head->size, body), row, sink);
        at += head->size + body;
        continue;
      }
      sink.bad_row(row, "not a WARC record");
      const size_t next = rest.find("\nWARC/1.", 1);
      at = next == kNone ? text.size() : at + next + 1;
    }
  }

 private:
  void record(std::string_view head, std::string_view body, int64_t row, DocumentSink& sink) const {
    const Headers headers(head);
    const std::string_view type = headers.get("WARC-Type");
    if (type != "response" && type != "resource" && type != "conversion") return;
    RowFacts facts;
    facts.url = headers.get("WARC-Target-URI");
    if (facts.url.starts_with('<') && facts.url.ends_with('>'))
      facts.url = facts.url.substr(1, facts.url.size() - 2);
    if (keep_)
      facts.meta = compact({{"warc_record_id", text::repair_utf8(headers.get("WARC-Record-ID"))},
                            {"warc_date", text::repair_utf8(headers.get("WARC-Date"))}});
    std::string content, charset, media;
    std::string why;
    if (type == "response") {
      auto response = read_http_response(body, max_record_, why);
      if (!response) return sink.bad_row(row, why);
      if (response->status != 200) return sink.left_out();
      content = std::move(response->body);
      charset = std::move(response->charset);
      media = std::move(response->type);
    } else {
      read_content_type(headers.get("Content-Type"), media, charset);
      content = body;
    }
    if (type == "conversion") {
      facts.language = headers.get("WARC-Identified-Content-Language");
      if (const size_t comma = facts.language.find(','); comma != std::string::npos)
        facts.language.resize(comma);  // the most likely one comes first
    }
    if (is_page(media)) {
      if (auto page = page_to_utf8(std::move(content), charset, why))
        return sink.row(row, std::move(*page), "html", std::move(facts));
      return sink.bad_row(row, why);
    }
    if (media != "text/plain") return sink.left_out();
    auto utf8 = to_utf8(content, Encoding::unknown);
    if (!utf8 && !charset.empty()) utf8 = to_utf8(content, charset);
    if (utf8) sink.row(row, std::move(*utf8), "text", std::move(facts));
    else sink.bad_row(row, "its bytes are not UTF-8");
  }

  size_t max_record_;
  bool keep_;
  std::unique_ptr<Cutter> cutter_;
};

}  // namespace

Reader read_web_archive(const SourceOptions& options, Stream bytes) {
  return std::make_unique<ArchiveReader>(options, std::move(bytes));
}

}  // namespace helio::data
