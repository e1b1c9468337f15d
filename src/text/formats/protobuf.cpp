#include "text/formats/protobuf.h"

#include <bit>
#include <string>

#include "text/tokenizer/tokenizer_parts.h"

namespace helio::text {
namespace {

using Wire = ProtobufReader::Wire;

void require(const ProtobufReader::Field& field, Wire wire, const char* name) {
  if (field.wire != wire)
    throw malformed("protobuf field '" + std::string(name) + "' is written as another type");
}

}  // namespace

uint64_t ProtobufReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (rest_.empty()) throw malformed(std::string(of_) + " ends inside a number");
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  throw malformed(std::string(of_) + " has a number of more than 64 bits");
}

uint64_t ProtobufReader::fixed(size_t size) {
  if (rest_.size() < size) throw malformed(std::string(of_) + " ends inside a number");
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i)
    value |= static_cast<uint64_t>(static_cast<uint8_t>(rest_[i])) << (8 * i);
  rest_.remove_prefix(size);
  return value;
}

bool ProtobufReader::next(Field& field) {
  if (rest_.empty()) return false;
  const uint64_t key = varint();
  if (key >> 3 == 0 || key >> 3 >= 1u << 29)
    throw malformed(std::string(of_) + " has a field of number " + std::to_string(key >> 3));
  field = {.number = static_cast<uint32_t>(key >> 3)};
  switch (key & 7) {
    case 0:
      field.value = varint();
      return true;
    case 1:
      field.wire = Wire::fixed64;
      field.value = fixed(8);
      return true;
    case 2: {
      field.wire = Wire::bytes;
      const uint64_t size = varint();
      if (size > rest_.size())
        throw malformed(std::string(of_) + " says that a field has " + std::to_string(size) +
                        " bytes, but only " + std::to_string(rest_.size()) + " are left");
      field.bytes = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
    case 5:
      field.wire = Wire::fixed32;
      field.value = fixed(4);
      return true;
    default:
      throw malformed(std::string(of_) + " has a field of wire type " + std::to_string(key & 7));
  }
}

bool proto_bool(const ProtobufReader::Field& field, const char* name) {
  require(field, Wire::varint, name);
  return field.value != 0;
}

int64_t proto_int(const ProtobufReader::Field& field, const char* name) {
  require(field, Wire::varint, name);
  return static_cast<int64_t>(field.value);
}

float proto_float(const ProtobufReader::Field& field, const char* name) {
  require(field, Wire::fixed32, name);
  return std::bit_cast<float>(static_cast<uint32_t>(field.value));
}

std::string_view proto_bytes(const ProtobufReader::Field& field, const char* name) {
  require(field, Wire::bytes, name);
  return field.bytes;
}

}  // namespace helio::text
