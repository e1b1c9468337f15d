// JSON: an array of objects, one object, or objects one after another; read element by element.
#include <simdjson.h>

#include "data/read/json_rows.h"
#include "data/read/row_lines.h"

namespace helio::data {
namespace {

constexpr size_t kNone = std::string_view::npos;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Follows brackets and strings of one value; counts depth instead of recursing into it.
struct ValueEnd {
  int64_t depth = 0;
  bool in_string = false, escaped = false;

  // Where the value ends that `at` is inside of, or kNone. `at` moves to where looking stopped.
  size_t find(std::string_view text, size_t& at) {
    for (; at < text.size(); ++at) {
      const char c = text[at];
      if (in_string) {
        if (escaped) escaped = false;
        else if (c == '\\') escaped = true;
        else if (c == '"') in_string = false;
        if (in_string || depth > 0) continue;
        return ++at;
      }
      if (c == '"') in_string = true;
      else if (c == '{' || c == '[') ++depth;
      else if (c == '}' || c == ']') {
        if (depth > 0) --depth;
        if (depth == 0) return ++at;
      } else if (depth == 0 && (c == ',' || is_space(c))) {
        return at;  // a bare number or word
      }
    }
    return kNone;
  }
};

// Records are the elements of the outer array with what stands before them.
class ElementCutter final : public Cutter {
 public:
  ElementCutter(Stream stream, size_t max_record)
      : Cutter(std::move(stream), max_record, Rows::records) {}

 protected:
  void start() override { value_ = {}, inside_ = false; }
  size_t record_end(std::string_view text, size_t, size_t& at, bool ended) override {
    if (!inside_) {
      // Brackets of the outer array, commas and spaces: of no interest, wherever they are.
      while (at < text.size() && (is_space(text[at]) || text[at] == ',' || text[at] == ']' ||
                                  (text[at] == '[' && !opened_))) {
        if (text[at] == '[') opened_ = array_ = true;
        if (text[at] == ']') array_ = false;
        ++at;
      }
      if (at == text.size()) return kNone;
      opened_ = inside_ = true;
    }
    const size_t end = value_.find(text, at);
    return end == kNone && ended ? text.size() : end;
  }

  std::string end_problem() override { return array_ ? "the file ends inside its array" : ""; }

 private:
  ValueEnd value_ = {};
  bool inside_ = false, opened_ = false;
  bool array_ = false;  // inside the outer one
};

class JsonReader final : public FileReader {
 public:
  JsonReader(const SourceOptions& options, Stream text, Encoding encoding)
      : rows_(options),
        encoding_(encoding),
        cutter_(std::make_unique<ElementCutter>(std::move(text),
                                                static_cast<size_t>(options.max_record))) {}

  bool next(Block& block, size_t bytes) override {
    if (cutter_ && cutter_->next(block, bytes)) {
      block.bytes.reserve(block.bytes.size() + simdjson::SIMDJSON_PADDING);
      return true;
    }
    cutter_.reset();
    return false;
  }

  void parse(const Block& block, DocumentSink& sink) const override {
    const std::string_view text = block.bytes;
    const char* room_end = text.data() + block.bytes.capacity();
    int64_t row = block.first_row;
    // Only the file's first piece has the bracket that opens the outer array before a value.
    bool opened = block.first_row > 0;
    for (size_t at = 0;; ++row) {
      while (at < text.size() && (is_space(text[at]) || text[at] == ',' || text[at] == ']' ||
                                  (text[at] == '[' && !opened))) {
        if (text[at] == '[') opened = true;
        ++at;
      }
      if (at == text.size()) return;
      opened = true;
      const size_t begin = at;
      ValueEnd value;
      const size_t end = std::min(value.find(text, at), text.size());
      at = end;
      const std::string_view json = text.substr(begin, end - begin);
      if (encoding_ == Encoding::utf8 || text::is_valid_utf8(json)) {
        rows_.give(json, static_cast<size_t>(room_end - json.data()) - json.size(), row, sink);
      } else if (const auto converted = to_utf8(json, encoding_)) {
        rows_.give(*converted, 0, row, sink);
      } else {
        sink.bad_row(row, wrong_bytes(encoding_));
      }
    }
  }

 private:
  JsonRows rows_;
  Encoding encoding_;
  std::unique_ptr<Cutter> cutter_;
};

}  // namespace

Reader read_json_file(const SourceOptions& options, Stream text, Encoding encoding) {
  return std::make_unique<JsonReader>(options, std::move(text), encoding);
}

}  // namespace helio::data
