#include "columnar/cells.h"

#include <arrow/array/array_dict.h>
#include <arrow/array/array_nested.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace helio::columnar {
namespace {

constexpr int kMaxDepth = 64;

template <class Array>
std::string_view view(const arrow::Array& array, int64_t row) {
  return static_cast<const Array&>(array).GetView(row);
}

template <class Number>
void append_number(std::string& out, Number number) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, number);
  out.append(text, end.ptr);
}

template <class Array>
void append_float(std::string& out, const arrow::Array& array, int64_t row) {
  const auto number = static_cast<const Array&>(array).Value(row);
  if (std::isfinite(number)) append_number(out, number);
  else out += "null";  // JSON has no other word for it
}

template <class Array>
void append_items(std::string& out, const arrow::Array& array, int64_t row, int depth) {
  const auto& list = static_cast<const Array&>(array);
  const int64_t begin = list.value_offset(row), end = begin + list.value_length(row);
  out += '[';
  for (int64_t i = begin; i < end; ++i) {
    if (i > begin) out += ',';
    append_json(out, *list.values(), i, depth + 1);
  }
  out += ']';
}

// A map with text keys is an object.
void append_map(std::string& out, const arrow::MapArray& map, int64_t row, int depth) {
  const int64_t begin = map.value_offset(row), end = begin + map.value_length(row);
  out += '{';
  for (int64_t i = begin; i < end; ++i) {
    if (i > begin) out += ',';
    const Cell key = is_text(*map.keys()->type()) ? text_cell(*map.keys(), i) : Cell();
    append_json_text(out, key.value_or(std::to_string(i - begin)));
    out += ':';
    append_json(out, *map.items(), i, depth + 1);
  }
  out += '}';
}

void append_struct(std::string& out, const arrow::StructArray& fields, int64_t row, int depth) {
  out += '{';
  for (int i = 0; i < fields.num_fields(); ++i) {
    if (i > 0) out += ',';
    append_json_text(out, fields.struct_type()->field(i)->name());
    out += ':';
    append_json(out, *fields.field(i), row, depth + 1);
  }
  out += '}';
}

}  // namespace

bool is_text(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
      return true;
    case arrow::Type::DICTIONARY:
      return is_text(*static_cast<const arrow::DictionaryType&>(type).value_type());
    default:
      return false;
  }
}

Cell text_cell(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return {};
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return view<arrow::BinaryArray>(array, row);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return view<arrow::LargeBinaryArray>(array, row);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return view<arrow::BinaryViewArray>(array, row);
    case arrow::Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return text_cell(*coded.dictionary(), coded.GetValueIndex(row));
    }
    default:
      return {};
  }
}

void append_json_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (c == '\t') out += "\\t";
    else if (code < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      out.append("\\u00").append(1, kHex[code >> 4]).append(1, kHex[code & 15]);
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_json(std::string& out, const arrow::Array& array, int64_t row, int depth) {
  using arrow::Type;
  if (array.IsNull(row) || depth > kMaxDepth) {
    out += "null";
    return;
  }
  switch (array.type_id()) {
    case Type::BOOL:
      out += static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
      return;
#define HELIO_INTEGER(ID, ARRAY)                                                                  \
  case Type::ID:                                                                                  \
    append_number(out, static_cast<int64_t>(static_cast<const arrow::ARRAY&>(array).Value(row))); \
    return;
      HELIO_INTEGER(INT8, Int8Array)
      HELIO_INTEGER(INT16, Int16Array)
      HELIO_INTEGER(INT32, Int32Array)
      HELIO_INTEGER(INT64, Int64Array)
      HELIO_INTEGER(UINT8, UInt8Array)
      HELIO_INTEGER(UINT16, UInt16Array)
      HELIO_INTEGER(UINT32, UInt32Array)
#undef HELIO_INTEGER
    case Type::UINT64:
      append_number(out, static_cast<const arrow::UInt64Array&>(array).Value(row));
      return;
    case Type::FLOAT:
      append_float<arrow::FloatArray>(out, array, row);
      return;
    case Type::DOUBLE:
      append_float<arrow::DoubleArray>(out, array, row);
      return;
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
      append_json_text(out, *text_cell(array, row));
      return;
    case Type::LIST:
      return append_items<arrow::ListArray>(out, array, row, depth);
    case Type::LARGE_LIST:
      return append_items<arrow::LargeListArray>(out, array, row, depth);
    case Type::FIXED_SIZE_LIST:
      return append_items<arrow::FixedSizeListArray>(out, array, row, depth);
    case Type::MAP:
      return append_map(out, static_cast<const arrow::MapArray&>(array), row, depth);
    case Type::STRUCT:
      return append_struct(out, static_cast<const arrow::StructArray&>(array), row, depth);
    case Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return append_json(out, *coded.dictionary(), coded.GetValueIndex(row), depth + 1);
    }
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIME32:
    case Type::TIME64:
    case Type::TIMESTAMP:
    case Type::DURATION:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
    case Type::HALF_FLOAT:
      if (const auto scalar = array.GetScalar(row); scalar.ok())
        return append_json_text(out, (*scalar)->ToString());
      [[fallthrough]];
    default:
      out += "null";
  }
}

}  // namespace helio::columnar
