#include "text/arrow_stream.h"

#include <cmath>

#include "core/error.h"
#include "core/fs.h"
#include "text/flatbuffer.h"
#include "text/utf8.h"

namespace helio::text {
namespace {

constexpr int kMaxDepth = 16;
constexpr uint64_t kMaxColumns = 4096;

// Slots and numbers of format/Message.fbs and format/Schema.fbs.
enum class Header : uint8_t { none = 0, schema = 1, dictionary = 2, record_batch = 3 };
enum class Type : uint8_t {
  null = 1,
  integer = 2,
  real = 3,
  binary = 4,
  utf8 = 5,
  boolean = 6,
  list = 12,
  record = 13,
  large_utf8 = 20,
  large_list = 21,
};

struct Column {
  std::string name = {};
  Type type = Type::null;
  int bits = 0;
  bool is_signed = true;
  std::vector<Column> children = {};
};

[[noreturn]] void damaged(const std::string& what) {
  throw Error(ErrorKind::invalid, "damaged Arrow data: " + what);
}

[[noreturn]] void unsupported(const std::string& what) {
  throw Error(ErrorKind::invalid, "Arrow data with " + what + " is not read here")
      .with_hint("save the benchmark as JSON lines (.jsonl, .jsonl.gz) beside it");
}

// `left` bounds the columns of the whole schema: tables may share their children, without end.
Column read_column(const FlatTable& field, int depth, uint64_t& left) {
  if (left-- == 0) damaged("too many columns");
  if (depth > kMaxDepth) damaged("columns nested too deeply");
  Column column{.name = std::string(field.string(0)),
                .type = static_cast<Type>(field.scalar<uint8_t>(2, 0))};
  if (field.has(4)) unsupported("dictionary-encoded columns ('" + column.name + "')");
  const auto children = field.vector(5, 4);
  for (uint64_t i = 0; i < children.count; ++i)
    column.children.push_back(read_column(field.element(children, i), depth + 1, left));
  switch (column.type) {
    case Type::integer:
      column.bits = field.table(3).scalar<int32_t>(0, 0);
      column.is_signed = field.table(3).scalar<uint8_t>(1, 0) != 0;
      if (column.bits != 8 && column.bits != 16 && column.bits != 32 && column.bits != 64)
        damaged("an integer of " + std::to_string(column.bits) + " bits");
      break;
    case Type::real:
      column.bits = field.table(3).scalar<int16_t>(0, 0) == 1 ? 32 : 64;
      if (field.table(3).scalar<int16_t>(0, 0) == 0) unsupported("half-precision numbers");
      break;
    case Type::utf8:
    case Type::large_utf8:
    case Type::boolean:
      break;
    case Type::list:
    case Type::large_list:
      if (column.children.size() != 1) damaged("a list without an element type");
      break;
    case Type::record:
      // Without columns it would take no bytes, and nothing would bound its number of rows.
      if (column.children.empty()) unsupported("structs without fields");
      break;
    default:
      unsupported("columns of type " + std::to_string(static_cast<int>(column.type)) + " ('" +
                  column.name + "')");
  }
  return column;
}

// One column of one record batch, its lengths checked against its bytes.
class Values {
 public:
  struct Source {
    FlatBuffer metadata;
    FlatTable::Vector nodes = {}, buffers = {};
    std::string_view body;
    uint64_t next_node = 0, next_buffer = 0;
  };

  Values(const Column& column, Source& source) : column_(column) {
    if (source.next_node >= source.nodes.count) damaged("fewer columns than the schema says");
    const uint64_t at = source.nodes.first + 16 * source.next_node++;
    length_ = length_of(source.metadata.read<int64_t>(at));
    const bool all_valid = source.metadata.read<int64_t>(at + 8) == 0;
    const std::string_view validity = buffer(source);
    if (!all_valid && !validity.empty()) valid_ = need(validity, (length_ + 7) / 8);
    switch (column.type) {
      case Type::boolean:
        data_ = need(buffer(source), (length_ + 7) / 8);
        break;
      case Type::integer:
      case Type::real:
        data_ = need(buffer(source), checked(length_, static_cast<uint64_t>(column.bits / 8)));
        break;
      case Type::utf8:
      case Type::large_utf8:
        read_offsets(buffer(source));
        data_ = buffer(source);
        if (length_ && offset(length_) > data_.size()) damaged("a text ends outside of its buffer");
        break;
      case Type::list:
      case Type::large_list:
        read_offsets(buffer(source));
        children_.emplace_back(column.children[0], source);
        if (length_ && offset(length_) > children_[0].length_)
          damaged("a list ends outside of its values");
        break;
      default:
        for (const Column& child : column.children) {
          children_.emplace_back(child, source);
          if (children_.back().length_ != length_) damaged("a struct's fields differ in length");
        }
    }
  }

  uint64_t length() const { return length_; }

  Json at(uint64_t row) const {
    if (!valid_.empty() && !bit(valid_, row)) return nullptr;
    switch (column_.type) {
      case Type::boolean:
        return bit(data_, row);
      case Type::integer:
        return integer(row);
      case Type::real:
        return column_.bits == 32 ? static_cast<double>(value<float>(row)) : value<double>(row);
      case Type::utf8:
      case Type::large_utf8: {
        const uint64_t begin = offset(row);
        return repair_utf8(data_.substr(begin, offset(row + 1) - begin));
      }
      case Type::list:
      case Type::large_list: {
        Json list = Json::array();
        for (uint64_t i = offset(row); i < offset(row + 1); ++i) list.push_back(children_[0].at(i));
        return list;
      }
      default: {
        Json record = Json::object();
        for (const Values& child : children_) record[child.column_.name] = child.at(row);
        return record;
      }
    }
  }

 private:
  static uint64_t length_of(int64_t length) {
    if (length < 0) damaged("a negative length");
    return static_cast<uint64_t>(length);
  }
  static uint64_t checked(uint64_t count, uint64_t size) {
    if (count > (uint64_t{1} << 48)) damaged("a length beyond any file");
    return count * size;
  }
  static std::string_view need(std::string_view bytes, uint64_t size) {
    if (bytes.size() < size) damaged("a column has fewer bytes than rows");
    return bytes.substr(0, size);
  }
  static std::string_view buffer(Source& source) {
    if (source.next_buffer >= source.buffers.count) damaged("fewer buffers than the schema says");
    const uint64_t at = source.buffers.first + 16 * source.next_buffer++;
    const uint64_t offset = length_of(source.metadata.read<int64_t>(at));
    const uint64_t size = length_of(source.metadata.read<int64_t>(at + 8));
    if (offset > source.body.size() || source.body.size() - offset < size)
      damaged("a buffer lies outside of the file");
    return source.body.substr(offset, size);
  }
  static bool bit(std::string_view bits, uint64_t i) {
    return (static_cast<uint8_t>(bits[i / 8]) >> (i % 8)) & 1;
  }

  template <class T>
  T value(uint64_t row) const {
    T out;
    std::memcpy(&out, data_.data() + row * sizeof(T), sizeof(T));
    return out;
  }
  Json integer(uint64_t row) const {
    switch (column_.bits * (column_.is_signed ? 1 : -1)) {
      case 8:
        return value<int8_t>(row);
      case 16:
        return value<int16_t>(row);
      case 32:
        return value<int32_t>(row);
      case 64:
        return value<int64_t>(row);
      case -8:
        return value<uint8_t>(row);
      case -16:
        return value<uint16_t>(row);
      case -32:
        return value<uint32_t>(row);
      default:
        return value<uint64_t>(row);
    }
  }

  void read_offsets(std::string_view bytes) {
    wide_ = column_.type == Type::large_utf8 || column_.type == Type::large_list;
    if (length_ == 0) return;  // a writer may leave the one offset of nothing out
    offsets_ = need(bytes, checked(length_ + 1, wide_ ? 8 : 4));
    uint64_t last = offset(0);
    for (uint64_t i = 1; i <= length_; ++i) {
      const uint64_t here = offset(i);
      if (here < last) damaged("offsets that go backwards");
      last = here;
    }
  }
  uint64_t offset(uint64_t i) const {
    if (wide_) {
      int64_t out;
      std::memcpy(&out, offsets_.data() + i * 8, 8);
      return length_of(out);
    }
    int32_t out;
    std::memcpy(&out, offsets_.data() + i * 4, 4);
    return length_of(out);
  }

  const Column& column_;
  uint64_t length_ = 0;
  bool wide_ = false;
  std::string_view valid_, data_, offsets_;
  std::vector<Values> children_;
};

void read_batch(const FlatTable& batch, std::string_view metadata, std::string_view body,
                const std::vector<Column>& columns, const std::function<void(Json)>& row) {
  if (batch.has(3)) unsupported("compressed buffers");
  Values::Source source{.metadata = FlatBuffer(metadata),
                        .nodes = batch.vector(1, 16),
                        .buffers = batch.vector(2, 16),
                        .body = body};
  const auto rows = batch.scalar<int64_t>(0, 0);
  if (rows < 0) damaged("a negative number of rows");
  std::vector<Values> values;
  values.reserve(columns.size());
  for (const Column& column : columns) {
    values.emplace_back(column, source);
    if (values.back().length() != static_cast<uint64_t>(rows))
      damaged("column '" + column.name + "' has another number of rows");
  }
  for (uint64_t i = 0; i < static_cast<uint64_t>(rows); ++i) {
    Json object = Json::object();
    for (size_t c = 0; c < columns.size(); ++c) object[columns[c].name] = values[c].at(i);
    row(std::move(object));
  }
}

void read_stream(std::string_view bytes, const std::function<void(Json)>& row) {
  if (bytes.starts_with("ARROW1"))
    bytes.remove_prefix(std::min<size_t>(8, bytes.size()));  // file: a stream after 8 bytes
  const FlatBuffer file(bytes);
  std::vector<Column> columns;
  bool schema_seen = false;
  for (uint64_t at = 0; at < bytes.size();) {
    uint32_t size = file.read<uint32_t>(at);
    at += 4;
    if (size == 0xFFFFFFFFu) {  // the marker that stands before the length since format 0.15
      size = file.read<uint32_t>(at);
      at += 4;
    }
    if (size == 0) break;  // end of stream
    const std::string_view metadata = file.slice(at, size);
    at += size;
    const FlatBuffer buffer(metadata);
    const FlatTable message = FlatTable::root(buffer);
    const auto header = static_cast<Header>(message.scalar<uint8_t>(1, 0));
    const auto body_size = message.scalar<int64_t>(3, 0);
    if (body_size < 0) damaged("a negative body length");
    if (bytes.size() - at < static_cast<uint64_t>(body_size)) damaged("the file is cut short");
    const std::string_view body = bytes.substr(at, static_cast<uint64_t>(body_size));
    at += static_cast<uint64_t>(body_size);
    if (header == Header::schema) {
      const FlatTable schema = message.table(2);
      if (schema_seen) damaged("two schemas");
      if (schema.scalar<int16_t>(0, 0) != 0) unsupported("big-endian numbers");
      const auto fields = schema.vector(1, 4);
      if (fields.count == 0) damaged("a schema without columns");
      uint64_t left = kMaxColumns;
      for (uint64_t i = 0; i < fields.count; ++i)
        columns.push_back(read_column(schema.element(fields, i), 0, left));
      schema_seen = true;
    } else if (header == Header::record_batch) {
      if (!schema_seen) damaged("rows before the schema");
      read_batch(message.table(2), metadata, body, columns, row);
    } else {
      unsupported("messages of kind " + std::to_string(static_cast<int>(header)));
    }
  }
  if (!schema_seen) damaged("no schema");
}

}  // namespace

void read_arrow(std::string_view bytes, const std::string& source,
                const std::function<void(Json)>& row) {
  in_context([&] { return "while reading '" + source + "'"; }, [&] { read_stream(bytes, row); });
}

void read_arrow(const std::filesystem::path& path, const std::function<void(Json)>& row) {
  const MappedFile file(path);
  read_arrow(file.text(), path.string(), row);
}

}  // namespace helio::text
