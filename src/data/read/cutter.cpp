#include "data/read/cutter.h"

#include <algorithm>

#include "core/error.h"

namespace helio::data {
namespace {

constexpr size_t kChunk = size_t(256) << 10;
constexpr size_t kNone = std::string_view::npos;

class LineCutter final : public Cutter {
 public:
  LineCutter(Stream stream, size_t max_record)
      : Cutter(std::move(stream), max_record, Rows::records) {}

 protected:
  size_t record_end(std::string_view text, size_t begin, size_t& at, bool ended) override {
    const size_t found = text.find('\n', at);
    at = found == kNone ? text.size() : found + 1;
    return found != kNone || (ended && at > begin) ? at : kNone;
  }
};

// A record ends before the first line with something on it that follows a blank one.
class ParagraphCutter final : public Cutter {
 public:
  ParagraphCutter(Stream stream, size_t max_record)
      : Cutter(std::move(stream), max_record, Rows::lines) {}

 protected:
  void start() override { blank_seen_ = line_has_text_ = false, spaces_ = 0; }
  size_t record_end(std::string_view text, size_t begin, size_t& at, bool ended) override {
    while (at < text.size()) {
      if (!line_has_text_) {
        const size_t found = std::min(text.find_first_not_of(" \t\r\f\v", at), text.size());
        spaces_ += found - at;
        at = found;
        if (at == text.size()) break;
        if (text[at] == '\n') {
          blank_seen_ = true;
          ++at, spaces_ = 0;
          continue;
        }
        if (blank_seen_) return at - std::min(spaces_, at - begin);
        line_has_text_ = true;
      }
      const size_t end = text.find('\n', at);
      at = end == kNone ? text.size() : end + 1;
      if (end != kNone) line_has_text_ = false, spaces_ = 0;
    }
    return ended && at > begin ? at : kNone;
  }

 private:
  bool blank_seen_ = false, line_has_text_ = false;
  size_t spaces_ = 0;  // before `at`, on a line with nothing else so far
};

class WholeCutter final : public Cutter {
 public:
  WholeCutter(Stream stream, size_t max_record)
      : Cutter(std::move(stream), max_record, Rows::records) {}

 protected:
  size_t record_end(std::string_view text, size_t begin, size_t& at, bool ended) override {
    at = text.size();
    return ended && at > begin ? at : kNone;
  }
};

}  // namespace

void Cutter::fill() {
  const size_t old = buffer_.size();
  buffer_.resize(old + kChunk);
  size_t n = 0;
  try {
    n = stream_->read(buffer_.data() + old, kChunk);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid) throw;
    problem_ = error.message();
  }
  buffer_.resize(old + n);
  if (n > 0) return;
  ended_ = true;
  stream_.reset();  // files may be many: none stays open behind its end
}

int64_t Cutter::rows_in(std::string_view text) const {
  return rows_ == Rows::records ? 0 : std::count(text.begin(), text.end(), '\n');
}

bool Cutter::next(Block& block, size_t bytes) {
  block.bytes.clear();
  block.refused.clear();
  block.first_row = row_;
  size_t begin = 0, at = 0;
  start();
  while (begin < std::max<size_t>(bytes, 1)) {
    const size_t end = record_end(buffer_, begin, at, ended_);
    // Two more: a line's end is not the line.
    if ((end == kNone ? at : end) - begin > max_record_ + 2) {
      if (begin > 0) break;
      block.refused = "longer than " + std::to_string(max_record_) + " bytes (max_record)";
      pass_over(end == kNone ? at : end, end != kNone);
      return true;
    }
    if (end == kNone) {
      if (ended_) break;  // asked again with the end known, it found no record
      fill();
      continue;
    }
    // Of a damaged stream the last record is half a one: the damage is what is told.
    if (!problem_.empty() && ended_ && end == buffer_.size()) break;
    row_ +=
        rows_ == Rows::records ? 1 : rows_in(std::string_view(buffer_).substr(begin, end - begin));
    begin = at = end;
    start();
  }
  if (begin == 0) {
    buffer_.clear();
    if (problem_.empty() && !std::exchange(end_told_, true)) problem_ = end_problem();
    if (problem_.empty()) return false;
    end_told_ = true;
    block.refused = std::move(problem_);
    problem_.clear();
    return true;
  }
  std::string rest = buffer_.substr(begin);
  buffer_.resize(begin);
  block.bytes = std::move(buffer_);
  buffer_ = std::move(rest);
  return true;
}

// The record at the buffer's start is too long: its end is looked for without keeping it.
void Cutter::pass_over(size_t at, bool whole) {
  for (;;) {
    row_ += rows_in(std::string_view(buffer_).substr(0, at));
    buffer_.erase(0, at);
    at = 0;
    if (whole || ended_) break;
    fill();
    const size_t end = record_end(buffer_, 0, at, ended_);
    whole = end != kNone;
    if (whole) at = end;
  }
  if (rows_ == Rows::records) ++row_;
}

std::unique_ptr<Cutter> cut_lines(Stream stream, size_t max_record) {
  return std::make_unique<LineCutter>(std::move(stream), max_record);
}
std::unique_ptr<Cutter> cut_paragraphs(Stream stream, size_t max_record) {
  return std::make_unique<ParagraphCutter>(std::move(stream), max_record);
}
std::unique_ptr<Cutter> cut_nothing(Stream stream, size_t max_record) {
  return std::make_unique<WholeCutter>(std::move(stream), max_record);
}

}  // namespace helio::data
