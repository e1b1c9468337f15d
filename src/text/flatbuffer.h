// A bounds-checked view of FlatBuffers data, as far as Arrow's metadata needs it. Every read is
// checked against the buffer: a hostile file gives an Error, never a stray read.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/error.h"

namespace helio::text {

class FlatBuffer {
 public:
  explicit FlatBuffer(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T read(uint64_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T))
      throw Error(ErrorKind::invalid, "damaged Arrow metadata: an offset points outside of it");
    T value;
    std::memcpy(&value, bytes_.data() + at,
                sizeof(T));  // little-endian hosts only, as all of helio
    return value;
  }
  std::string_view slice(uint64_t at, uint64_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size)
      throw Error(ErrorKind::invalid, "damaged Arrow metadata: a string ends outside of it");
    return bytes_.substr(at, size);
  }
  uint64_t size() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

// A table: fields by their slot number in the schema (0 for the first).
class FlatTable {
 public:
  FlatTable(const FlatBuffer& buffer, uint64_t at) : buffer_(&buffer), at_(at) {
    vtable_ = static_cast<uint64_t>(static_cast<int64_t>(at) - buffer.read<int32_t>(at));
    vtable_size_ = buffer.read<uint16_t>(vtable_);
  }
  static FlatTable root(const FlatBuffer& buffer) { return {buffer, buffer.read<uint32_t>(0)}; }

  bool has(int slot) const { return offset(slot) != 0; }
  template <class T>
  T scalar(int slot, T otherwise) const {
    const uint16_t field = offset(slot);
    return field ? buffer_->read<T>(at_ + field) : otherwise;
  }
  FlatTable table(int slot) const { return {*buffer_, target(slot)}; }
  std::string_view string(int slot) const {
    if (!has(slot)) return {};
    const uint64_t at = target(slot);
    return buffer_->slice(at + 4, buffer_->read<uint32_t>(at));
  }

  struct Vector {
    uint64_t first = 0, count = 0;
  };
  // A vector of elements of `size` bytes each, wholly inside the buffer.
  Vector vector(int slot, uint64_t size) const {
    if (!has(slot)) return {};
    const uint64_t at = target(slot);
    const uint64_t count = buffer_->read<uint32_t>(at);
    buffer_->slice(at + 4, count * size);
    return {at + 4, count};
  }
  FlatTable element(const Vector& vector, uint64_t index) const {
    const uint64_t at = vector.first + index * 4;
    return {*buffer_, at + buffer_->read<uint32_t>(at)};
  }
  const FlatBuffer& buffer() const { return *buffer_; }

 private:
  uint16_t offset(int slot) const {
    const uint64_t entry = 4 + 2 * static_cast<uint64_t>(slot);
    return entry + 2 <= vtable_size_ ? buffer_->read<uint16_t>(vtable_ + entry) : uint16_t{0};
  }
  uint64_t target(int slot) const {
    const uint16_t field = offset(slot);
    if (!field)
      throw Error(ErrorKind::invalid, "damaged Arrow metadata: a required part is missing");
    return at_ + field + buffer_->read<uint32_t>(at_ + field);
  }

  const FlatBuffer* buffer_;
  uint64_t at_, vtable_ = 0;
  uint16_t vtable_size_ = 0;
};

}  // namespace helio::text
