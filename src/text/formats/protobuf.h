// Reads the fields of a protocol buffer message in the order they stand, without a schema.
#pragma once

#include <cstdint>
#include <string_view>

namespace helio::text {

class ProtobufReader {
 public:
  enum class Wire : uint8_t { varint, fixed64, bytes, fixed32 };
  struct Field {
    uint32_t number = 0;
    Wire wire = Wire::varint;
    uint64_t value = 0;           // of varint, fixed64 and fixed32
    std::string_view bytes = {};  // of bytes: a view into the message
  };

  // `of` names the message in errors and must outlive the reader.
  ProtobufReader(std::string_view message, const char* of) : rest_(message), of_(of) {}

  // The next field, or false at the end. Error{invalid} for what is cut off, a varint of more than
  // 64 bits and groups, which nobody writes any more.
  bool next(Field& field);

 private:
  uint64_t varint();
  uint64_t fixed(size_t size);

  std::string_view rest_;
  const char* of_;
};

// Values as a schema reads them. Error{invalid} when the field was written as another type.
bool proto_bool(const ProtobufReader::Field& field, const char* name);
int64_t proto_int(const ProtobufReader::Field& field, const char* name);
float proto_float(const ProtobufReader::Field& field, const char* name);
std::string_view proto_bytes(const ProtobufReader::Field& field, const char* name);

}  // namespace helio::text
