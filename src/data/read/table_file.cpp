// CSV and TSV: RFC 4180, with rows that do not fit their header told one by one.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "data/read/file_reader.h"
#include "data/read/row_lines.h"

namespace helio::data {
namespace {

constexpr size_t kNone = std::string_view::npos;

// A row ends at a line end outside of quotes; quotes count only at the start of a field.
class RowCutter final : public Cutter {
 public:
  RowCutter(Stream stream, size_t max_record, char delimiter, bool quotes)
      : Cutter(std::move(stream), max_record, Rows::lines),
        delimiter_(delimiter),
        quotes_(quotes) {}

 protected:
  void start() override { quoted_ = false, field_start_ = true; }
  size_t record_end(std::string_view text, size_t begin, size_t& at, bool ended) override {
    while (at < text.size()) {
      if (quoted_) {
        // A doubled quote closes and opens again: the same in the end.
        const size_t found = text.find('"', at);
        at = found == kNone ? text.size() : found + 1;
        if (found != kNone) quoted_ = false, field_start_ = true;
        continue;
      }
      const char c = text[at++];
      if (c == '\n') return at;
      if (c == '"' && quotes_ && field_start_) quoted_ = true;
      else field_start_ = c == delimiter_;
    }
    return ended && at > begin ? at : kNone;
  }

 private:
  char delimiter_;
  bool quotes_;
  bool quoted_ = false;
  bool field_start_ = true;  // a quote here opens (or, after a closing one, goes on)
};

class TableReader final : public FileReader {
 public:
  TableReader(const SourceOptions& options, Stream text, Encoding encoding, char delimiter,
              bool quotes)
      : options_(options),
        encoding_(encoding),
        delimiter_(delimiter),
        quotes_(quotes),
        cutter_(std::make_unique<RowCutter>(
            std::move(text), static_cast<size_t>(options.max_record), delimiter, quotes)) {}

  bool next(Block& block, size_t bytes) override {
    if (names_.empty() && cutter_) {
      if (!read_header(block)) {
        cutter_.reset();
        return !block.refused.empty();
      }
      if (!block.bytes.empty()) return true;  // the first row of a file without a header
    }
    if (cutter_ && cutter_->next(block, bytes)) return true;
    cutter_.reset();
    return false;
  }

  void parse(const Block& block, DocumentSink& sink) const override {
    const std::string_view text = block.bytes;
    int64_t row = block.first_row;
    std::vector<std::string> fields;
    for (size_t at = 0; at < text.size();) {
      const size_t begin = at;
      const char* problem = split(text, at, fields);
      const int64_t here = row;
      const std::string_view whole = text.substr(begin, at - begin);
      row += std::count(whole.begin(), whole.end(), '\n');
      if (whole.find_first_not_of("\r\n") == kNone) continue;
      if (problem) sink.bad_row(here, problem);
      else give(fields, here, sink);
    }
  }

 private:
  // False when there is no usable header; block.refused says why, unless the file is empty.
  bool read_header(Block& block) {
    if (!cutter_->next(block, 1)) return false;
    if (!block.refused.empty()) return false;
    size_t at = 0;
    std::vector<std::string> fields;
    const char* problem = split(block.bytes, at, fields);
    const bool named = options_.header == "yes";
    for (size_t i = 0; i < fields.size(); ++i) {
      auto name = to_utf8(fields[i], encoding_);
      if (!name) problem = wrong_bytes(encoding_);
      names_.push_back(named ? name.value_or("") : "column" + std::to_string(i + 1));
    }
    const auto place_of = [&](const std::string& name) {
      const auto found = std::find(names_.begin(), names_.end(), name);
      return found == names_.end() ? kNone : static_cast<size_t>(found - names_.begin());
    };
    text_at_ = place_of(options_.text());
    id_at_ = options_.id_column.empty() ? kNone : place_of(options_.id_column);
    url_at_ = place_of(options_.url_column);
    language_at_ = options_.language_column.empty() ? kNone : place_of(options_.language_column);
    if (problem) block.refused = std::string("its header: ") + problem;
    else if (text_at_ == kNone)
      block.refused = "no column '" + options_.text() + "' among: " + list(names_);
    else if (!options_.id_column.empty() && id_at_ == kNone)
      block.refused = "no column '" + options_.id_column + "' among: " + list(names_);
    if (!block.refused.empty()) block.bytes.clear();
    if (named) block.bytes.clear();
    return block.refused.empty();
  }

  static std::string list(const std::vector<std::string>& names) {
    std::string all;
    for (size_t i = 0; i < names.size() && i < 20; ++i) all += (i ? ", " : "") + names[i];
    return all;
  }

  // The fields of the row at `at`, which moves behind it. What is wrong with it, or nullptr.
  const char* split(std::string_view text, size_t& at, std::vector<std::string>& fields) const {
    fields.assign(1, "");
    const char* problem = nullptr;
    bool field_start = true;
    while (at < text.size()) {
      const char c = text[at];
      if (c == '"' && quotes_ && field_start) {
        for (++at;;) {
          const size_t quote = text.find('"', at);
          if (quote == kNone) {
            at = text.size();
            return "a quote is not closed";
          }
          fields.back().append(text.substr(at, quote - at));
          at = quote + 1;
          if (at == text.size() || text[at] != '"') break;
          fields.back() += '"';
          ++at;
        }
        field_start = false;
        if (at < text.size() && text[at] != delimiter_ && text[at] != '\n' && text[at] != '\r')
          problem = "something follows a closing quote";
        continue;
      }
      const char stops[] = {delimiter_, '\n'};
      const size_t end = std::min(text.find_first_of({stops, 2}, at), text.size());
      fields.back().append(text.substr(at, end - at));
      at = end;
      if (at == text.size()) break;
      ++at;
      field_start = true;
      if (text[end] == delimiter_) {
        fields.emplace_back();
        continue;
      }
      if (fields.back().ends_with('\r')) fields.back().pop_back();
      return problem;
    }
    if (fields.back().ends_with('\r')) fields.back().pop_back();
    return problem;
  }

  void give(std::vector<std::string>& fields, int64_t row, DocumentSink& sink) const {
    if (fields.size() != names_.size())
      return sink.bad_row(row, "the row has " + std::to_string(fields.size()) +
                                   " fields, the header " + std::to_string(names_.size()));
    if (encoding_ != Encoding::utf8)
      for (std::string& field : fields) {
        auto converted = to_utf8(field, encoding_);
        if (!converted) return sink.bad_row(row, wrong_bytes(encoding_));
        field = std::move(*converted);
      }
    RowFacts facts;
    const auto take = [&](size_t at) { return at == kNone ? std::string() : fields[at]; };
    facts.id = take(id_at_);
    facts.url = take(url_at_);
    facts.language = take(language_at_);
    facts.meta = meta(fields);
    sink.row(row, std::move(fields[text_at_]), "text", std::move(facts));
  }

  std::string meta(const std::vector<std::string>& fields) const {
    if (!options_.keep_columns && options_.columns.empty()) return {};
    const auto& wanted = options_.columns;
    nlohmann::ordered_json kept;
    for (size_t i = 0; i < fields.size(); ++i)
      if (wanted.empty() ? i != text_at_
                         : std::find(wanted.begin(), wanted.end(), names_[i]) != wanted.end())
        kept[names_[i]] = fields[i];
    return kept.is_null()
               ? std::string()
               : kept.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }

  SourceOptions options_;
  Encoding encoding_;
  char delimiter_;
  bool quotes_;
  std::vector<std::string> names_ = {};
  size_t text_at_ = kNone, id_at_ = kNone, url_at_ = kNone, language_at_ = kNone;
  std::unique_ptr<Cutter> cutter_;
};

}  // namespace

Reader read_table_file(const SourceOptions& options, Stream text, Encoding encoding, char delimiter,
                       bool quotes) {
  return std::make_unique<TableReader>(options, std::move(text), encoding, delimiter, quotes);
}

}  // namespace helio::data
