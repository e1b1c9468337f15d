// Parquet and Arrow files as rows.
#include <algorithm>
#include <memory>
#include <mutex>

#include "core/error.h"
#include "data/read/columnar.h"
#include "data/read/file_reader.h"
#include "data/read/row_lines.h"

namespace helio::data {
namespace {

constexpr size_t kNone = std::string_view::npos;

class ColumnarReader final : public FileReader {
 public:
  ColumnarReader(const SourceOptions& options, const SourceFile& file, bool parquet)
      : options_(options),
        address_(file.path.string()),
        kind_(parquet ? columnar::Kind::parquet : columnar::Kind::arrow),
        table_(columnar_library().open(address_, kind_)) {
    const auto& columns = table_->columns();
    const size_t text = place_of(options.text());
    if (text == kNone || !columns[text].text) {
      std::string names;
      for (const columnar::Column& column : columns)
        if (column.text && names.size() < 500) names += (names.empty() ? "" : ", ") + column.name;
      throw Error(ErrorKind::invalid, "no text column '" + options.text() + "' among: " + names);
    }
    take(text);
    id_at_ = take_named(options.id_column);
    if (!options.id_column.empty() && id_at_ == kNone)
      throw Error(ErrorKind::invalid, "no text column '" + options.id_column + "'");
    url_at_ = take_named(options.url_column);
    language_at_ = take_named(options.language_column);
    for (size_t i = 0; i < columns.size(); ++i)
      if (options.columns.empty() ? options.keep_columns && i != text
                                  : std::find(options.columns.begin(), options.columns.end(),
                                              columns[i].name) != options.columns.end())
        json_.push_back(i);
    groups_ = table_->groups();
    starts_.resize(groups_);
    pieces_.resize(groups_);
  }

  bool next(Block& block, size_t bytes) override {
    while (group_ < groups_) {
      const int64_t rows = table_->rows(group_);
      if (at_ == rows) {
        row_ += rows;
        ++group_, at_ = 0;
        continue;
      }
      // A group somewhat larger than asked is one piece; a giant is read in parts.
      const uint64_t size = std::max<uint64_t>(table_->bytes(group_), 1);
      int64_t count = rows;
      if (size / 4 > bytes)
        count = std::max<int64_t>(
            1, static_cast<int64_t>(static_cast<double>(rows) * static_cast<double>(bytes) /
                                    static_cast<double>(size)));
      block.bytes.clear();
      block.row_group = static_cast<int64_t>(group_);
      block.first_row = row_ + at_;
      block.rows = std::min(count, rows - at_);
      starts_[group_] = row_;
      pieces_[group_] = count;
      at_ += block.rows;
      const std::lock_guard lock(guard_);
      ++given_;
      return true;
    }
    const std::lock_guard lock(guard_);
    ended_ = true;
    if (parsed_ == given_) table_.reset();
    return false;
  }

  void parse(const Block& block, DocumentSink& sink) const override {
    const auto group = static_cast<size_t>(block.row_group);
    RowsToDocuments rows(*this, sink, block.first_row);
    try {
      table()->read(group, block.first_row - starts_[group], block.rows, pieces_[group], texts_,
                    json_, rows);
    } catch (const Error& error) {
      // A damaged group: what was read of it stays, the rest is one bad row.
      if (error.kind() != ErrorKind::invalid || rows.failed_by_itself()) throw;
      sink.bad_row(rows.at(), error.message());
    }
    const std::lock_guard lock(guard_);
    if (++parsed_ >= given_ && ended_) table_.reset();
  }

 private:
  class RowsToDocuments final : public columnar::RowVisitor {
   public:
    RowsToDocuments(const ColumnarReader& reader, DocumentSink& sink, int64_t first)
        : reader_(reader), sink_(sink), row_(first) {}
    int64_t at() const { return row_; }
    bool failed_by_itself() const { return inside_; }  // a bad row under on_error: fail
    void row(std::span<const columnar::Cell> texts, std::string_view json) override {
      inside_ = true;
      give(texts, json);
      inside_ = false;
      ++row_;
    }

   private:
    void give(std::span<const columnar::Cell> texts, std::string_view json) {
      const columnar::Cell& text = texts[0];
      const int64_t most = reader_.options_.max_record;
      if (!text) return sink_.empty();
      if (static_cast<int64_t>(text->size()) > most)
        return sink_.bad_row(row_, too_long(static_cast<size_t>(most)));
      const auto take = [&](size_t at) {
        return at == kNone || !texts[at] ? std::string() : std::string(*texts[at]);
      };
      RowFacts facts;
      facts.id = take(reader_.id_at_);
      if (reader_.id_at_ != kNone && facts.id.empty())
        return sink_.bad_row(row_, "the row has no '" + reader_.options_.id_column + "'");
      facts.url = take(reader_.url_at_);
      facts.language = take(reader_.language_at_);
      facts.meta = text::repair_utf8(json);
      sink_.row(row_, std::string(*text), "text", std::move(facts));
    }
    const ColumnarReader& reader_;
    DocumentSink& sink_;
    int64_t row_;
    bool inside_ = false;
  };

  // Files may be many: one stays open until its last piece is parsed, and is opened again for those
  // who come back.
  std::shared_ptr<columnar::Table> table() const {
    const std::lock_guard lock(guard_);
    if (!table_) table_ = columnar_library().open(address_, kind_);
    return table_;
  }

  size_t place_of(const std::string& name) const {
    const auto& columns = table_->columns();
    for (size_t i = 0; i < columns.size(); ++i)
      if (columns[i].name == name) return i;
    return kNone;
  }
  size_t take(size_t column) {
    texts_.push_back(column);
    return texts_.size() - 1;
  }
  size_t take_named(const std::string& name) {
    const size_t at = name.empty() ? kNone : place_of(name);
    return at == kNone || !table_->columns()[at].text ? kNone : take(at);
  }

  SourceOptions options_;
  std::string address_;
  columnar::Kind kind_;
  mutable std::mutex guard_ = {};
  mutable std::shared_ptr<columnar::Table> table_;
  mutable int64_t parsed_ = 0;
  int64_t given_ = 0;
  bool ended_ = false;
  std::vector<size_t> texts_ = {}, json_ = {};
  size_t id_at_ = kNone, url_at_ = kNone, language_at_ = kNone;
  size_t groups_ = 0, group_ = 0;
  int64_t at_ = 0, row_ = 0;
  std::vector<int64_t> starts_ = {}, pieces_ = {};  // rows before a group; rows of its pieces
};

}  // namespace

Reader read_columnar_file(const SourceOptions& options, const SourceFile& file, bool parquet) {
  return std::make_unique<ColumnarReader>(options, file, parquet);
}

}  // namespace helio::data
