#include "core/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <unordered_set>

#include "core/error.h"

namespace helio {
namespace {

constexpr uint64_t kMaxKeyBytes = 65'535;  // the format's own limit
constexpr uint64_t kMaxNameBytes = 1'024;  // ggml has room for 63
constexpr uint64_t kMaxAlignment = uint64_t(1) << 20;
constexpr uint32_t kMaxDimensions = 4;

// A text from a file, fit for an error message.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 120)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return text.size() > 120 ? out + "..." : out;
}

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Bytes of a value of a type of fixed size; 0 for strings and arrays.
uint64_t fixed_size(GgufKind kind) {
  switch (kind) {
    case GgufKind::u8:
    case GgufKind::i8:
    case GgufKind::boolean:
      return 1;
    case GgufKind::u16:
    case GgufKind::i16:
      return 2;
    case GgufKind::u32:
    case GgufKind::i32:
    case GgufKind::f32:
      return 4;
    case GgufKind::u64:
    case GgufKind::i64:
    case GgufKind::f64:
      return 8;
    default:
      return 0;
  }
}

std::optional<int64_t> integer_at(GgufKind kind, const char* at) {
  switch (kind) {
    case GgufKind::u8:
    case GgufKind::boolean:
      return load<uint8_t>(at);
    case GgufKind::i8:
      return load<int8_t>(at);
    case GgufKind::u16:
      return load<uint16_t>(at);
    case GgufKind::i16:
      return load<int16_t>(at);
    case GgufKind::u32:
      return load<uint32_t>(at);
    case GgufKind::i32:
      return load<int32_t>(at);
    case GgufKind::i64:
      return load<int64_t>(at);
    case GgufKind::u64: {
      const auto value = load<uint64_t>(at);
      if (value > uint64_t(std::numeric_limits<int64_t>::max())) return std::nullopt;
      return static_cast<int64_t>(value);
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> number_at(GgufKind kind, const char* at) {
  if (kind == GgufKind::f32) return load<float>(at);
  if (kind == GgufKind::f64) return load<double>(at);
  if (kind == GgufKind::u64) return static_cast<double>(load<uint64_t>(at));
  if (kind == GgufKind::boolean) return std::nullopt;
  const auto value = integer_at(kind, at);
  return value ? std::optional<double>(static_cast<double>(*value)) : std::nullopt;
}

std::string what_it_is(const GgufValue& value) {
  if (value.kind != GgufKind::array) return std::string(gguf_kind_name(value.kind));
  return fmt::format("array of {} {}", value.count, gguf_kind_name(value.element));
}

Error not_a(const GgufValue& value, std::string_view expected) {
  return Error(ErrorKind::invalid, fmt::format("GGUF metadata '{}' is {}, not {}", shown(value.key),
                                               what_it_is(value), expected))
      .with_hint("the file is damaged or made by a tool that writes another form");
}

// Walks through the file's head; nothing is read beyond its end.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  Error fail(const std::string& what) const {
    return Error(ErrorKind::invalid, source_ + ": " + what)
        .with_hint("the file is damaged or not GGUF; fetch or convert it again");
  }
  // `what` is only put into words when it is needed.
  template <class What>
  std::string_view take(uint64_t size, const What& what) {
    if (size > bytes_.size() - at_)
      throw fail(fmt::format("{} needs {} bytes at byte {}, the file has {} (truncated?)", what(),
                             size, at_, bytes_.size()));
    const auto part = bytes_.substr(at_, size);
    at_ += size;
    return part;
  }
  template <class T, class What>
  T number(const What& what) {
    return load<T>(take(sizeof(T), what).data());
  }
  template <class What>
  std::string_view string(const What& what) {
    const auto length = number<uint64_t>(what);
    return take(length, what);
  }
  uint64_t at() const { return at_; }
  uint64_t left() const { return bytes_.size() - at_; }
  std::string_view since(uint64_t begin) const { return bytes_.substr(begin, at_ - begin); }

 private:
  std::string_view bytes_;
  const std::string& source_;
  uint64_t at_ = 0;
};

GgufKind read_kind(Reader& reader, std::string_view key) {
  const auto number =
      reader.number<uint32_t>([&] { return "the type of metadata '" + shown(key) + "'"; });
  if (number > uint32_t(GgufKind::f64))
    throw reader.fail(fmt::format("metadata '{}' has the unknown type {}", shown(key), number));
  return GgufKind(number);
}

GgufValue read_value(Reader& reader, uint64_t index) {
  GgufValue value;
  value.key = reader.string([&] { return fmt::format("the key of metadata value {}", index); });
  const std::string_view key = value.key;
  if (key.empty() || key.size() > kMaxKeyBytes)
    throw reader.fail(fmt::format("metadata value {} has a key of {} bytes", index, key.size()));
  const auto what = [&] { return "metadata '" + shown(key) + "'"; };
  const auto check_booleans = [&](std::string_view bytes) {
    for (const char c : bytes)
      if (static_cast<unsigned char>(c) > 1)
        throw reader.fail(what() + " has a boolean that is neither 0 nor 1");
  };
  value.kind = read_kind(reader, key);
  if (value.kind == GgufKind::string) {
    value.bytes = reader.string(what);
  } else if (value.kind != GgufKind::array) {
    value.bytes = reader.take(fixed_size(value.kind), what);
    if (value.kind == GgufKind::boolean) check_booleans(value.bytes);
  } else {
    value.element = read_kind(reader, key);
    if (value.element == GgufKind::array)
      throw reader.fail(what() + " is an array of arrays, which helio does not read");
    value.count = reader.number<uint64_t>(what);
    const uint64_t each = value.element == GgufKind::string ? 8 : fixed_size(value.element);
    if (value.count > reader.left() / each)
      throw reader.fail(
          fmt::format("{} has {} elements, more than the file has room for", what(), value.count));
    const uint64_t begin = reader.at();
    if (value.element == GgufKind::string)
      for (uint64_t i = 0; i < value.count; ++i)
        reader.string([&] { return fmt::format("element {} of {}", i, what()); });
    else reader.take(value.count * each, what);
    value.bytes = reader.since(begin);
    if (value.element == GgufKind::boolean) check_booleans(value.bytes);
  }
  return value;
}

GgufTensor read_tensor(Reader& reader, uint64_t index) {
  GgufTensor tensor;
  tensor.name = reader.string([&] { return fmt::format("the name of tensor {}", index); });
  if (tensor.name.empty() || tensor.name.size() > kMaxNameBytes)
    throw reader.fail(fmt::format("tensor {} has a name of {} bytes", index, tensor.name.size()));
  const auto what = [&] { return "tensor '" + shown(tensor.name) + "'"; };
  const auto dimensions = reader.number<uint32_t>(what);
  if (dimensions > kMaxDimensions)
    throw reader.fail(fmt::format("{} has {} dimensions; {} are the most allowed", what(),
                                  dimensions, kMaxDimensions));
  uint64_t elements = 1;
  for (uint32_t i = 0; i < dimensions; ++i) {
    const auto size = reader.number<uint64_t>(what);
    // Below 2^60 elements no number of bytes can wrap.
    if (size > (uint64_t(1) << 60) || __builtin_mul_overflow(elements, size, &elements) ||
        elements > (uint64_t(1) << 60))
      throw reader.fail(what() + ": the shape overflows");
    tensor.shape.push_back(static_cast<int64_t>(size));
  }
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  const auto number = reader.number<uint32_t>(what);
  const GgmlTypeInfo* type = find_ggml_type(number);
  if (type == nullptr) throw reader.fail(fmt::format("{} has the unknown type {}", what(), number));
  tensor.type = type->type;
  const uint64_t row = tensor.shape.empty() ? 1 : static_cast<uint64_t>(tensor.shape.back());
  if (row % type->block != 0)
    throw reader.fail(fmt::format("{} has rows of {} elements, no multiple of {}'s block of {}",
                                  what(), row, type->name, type->block));
  tensor.size = elements / type->block * type->bytes;
  tensor.offset = reader.number<uint64_t>(what);
  return tensor;
}

uint64_t align_up(uint64_t at, uint64_t alignment) {
  return (at + alignment - 1) / alignment * alignment;
}

void read_alignment(GgufHeader& header, const Reader& reader) {
  const GgufValue* value = header.find("general.alignment");
  if (value == nullptr) return;
  const int64_t alignment = value->integer();
  if (alignment < 1 || uint64_t(alignment) > kMaxAlignment || (alignment & (alignment - 1)) != 0)
    throw reader.fail(fmt::format("general.alignment is {}, not a power of two up to {}", alignment,
                                  kMaxAlignment));
  header.alignment = static_cast<uint64_t>(alignment);
}

// Offsets become absolute; every tensor lies in the file and none share bytes.
void place_tensors(GgufHeader& header, const Reader& reader, uint64_t file_size) {
  header.data_begin = align_up(reader.at(), header.alignment);
  header.data_end = header.data_begin;
  if (header.tensors.empty()) return;
  if (header.data_begin > file_size)
    throw reader.fail("ends before its tensor data begins (truncated?)");
  const uint64_t room = file_size - header.data_begin;
  uint64_t expected = 0;
  for (auto& tensor : header.tensors) {
    const std::string_view name = tensor.name;
    const auto fail = [&](const std::string& what) {
      return reader.fail("tensor '" + shown(name) + "' " + what);
    };
    if (tensor.offset % header.alignment != 0)
      throw fail(fmt::format("begins at data byte {}, no multiple of the alignment {}",
                             tensor.offset, header.alignment));
    if (tensor.offset > room || tensor.size > room - tensor.offset)
      throw fail(fmt::format("of {} bytes begins at data byte {}; the file has {} (truncated?)",
                             tensor.size, tensor.offset, room));
    header.packed = header.packed && tensor.offset == expected;
    expected = align_up(tensor.offset + tensor.size, header.alignment);
    tensor.offset += header.data_begin;
  }
  std::vector<const GgufTensor*> order;
  for (const auto& tensor : header.tensors)
    if (tensor.size > 0) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const GgufTensor* a, const GgufTensor* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i - 1]->offset + order[i - 1]->size > order[i]->offset)
      throw reader.fail("tensors '" + shown(order[i - 1]->name) + "' and '" +
                        shown(order[i]->name) + "' overlap");
  if (!order.empty()) header.data_end = order.back()->offset + order.back()->size;
}

}  // namespace

std::string_view gguf_kind_name(GgufKind kind) {
  constexpr std::string_view names[] = {"uint8",  "int8",    "uint16", "int16",  "uint32",
                                        "int32",  "float32", "bool",   "string", "array",
                                        "uint64", "int64",   "float64"};
  return names[static_cast<size_t>(kind)];
}

bool GgufValue::boolean() const {
  if (kind != GgufKind::boolean) throw not_a(*this, "bool");
  return bytes[0] != 0;
}

int64_t GgufValue::integer() const {
  if (kind == GgufKind::boolean) throw not_a(*this, "a whole number");
  const auto value = integer_at(kind, bytes.data());
  if (!value) throw not_a(*this, "a whole number below 2^63");
  return *value;
}

double GgufValue::number() const {
  const auto value = number_at(kind, bytes.data());
  if (!value) throw not_a(*this, "a number");
  return *value;
}

std::string_view GgufValue::string() const {
  if (kind != GgufKind::string) throw not_a(*this, "string");
  return bytes;
}

std::vector<int64_t> GgufValue::integers() const {
  const uint64_t each = fixed_size(element);
  if (kind != GgufKind::array || each == 0) throw not_a(*this, "an array of whole numbers");
  std::vector<int64_t> out;
  out.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const auto value = integer_at(element, bytes.data() + i * each);
    if (!value) throw not_a(*this, "an array of whole numbers below 2^63");
    out.push_back(*value);
  }
  return out;
}

std::vector<double> GgufValue::numbers() const {
  const uint64_t each = fixed_size(element);
  if (kind != GgufKind::array || each == 0) throw not_a(*this, "an array of numbers");
  std::vector<double> out;
  out.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    const auto value = number_at(element, bytes.data() + i * each);
    if (!value) throw not_a(*this, "an array of numbers");
    out.push_back(*value);
  }
  return out;
}

std::vector<std::string_view> GgufValue::strings() const {
  if (kind != GgufKind::array || element != GgufKind::string)
    throw not_a(*this, "an array of strings");
  std::vector<std::string_view> out;
  out.reserve(count);
  uint64_t at = 0;  // lengths were checked when the file was read
  for (uint64_t i = 0; i < count; ++i) {
    const auto length = load<uint64_t>(bytes.data() + at);
    out.push_back(bytes.substr(at + 8, length));
    at += 8 + length;
  }
  return out;
}

int64_t GgufTensor::elements() const {
  int64_t count = 1;
  for (const int64_t dimension : shape) count *= dimension;
  return count;
}

const GgufValue* GgufHeader::find(std::string_view key) const {
  for (const auto& value : metadata)
    if (value.key == key) return &value;
  return nullptr;
}

const GgufTensor* GgufHeader::find_tensor(std::string_view name) const {
  for (const auto& tensor : tensors)
    if (tensor.name == name) return &tensor;
  return nullptr;
}

GgufHeader parse_gguf(std::string_view bytes, const std::string& source) {
  Reader reader(bytes, source);
  if (!bytes.starts_with("GGUF")) throw reader.fail("does not begin with \"GGUF\"");
  reader.take(4, [] { return "the magic"; });
  GgufHeader header;
  header.version = reader.number<uint32_t>([] { return "the version"; });
  const uint32_t swapped = __builtin_bswap32(header.version);
  if (header.version > 0xffff && swapped <= 0xffff)
    throw Error(ErrorKind::invalid,
                fmt::format("{}: a big-endian GGUF file (version {})", source, swapped))
        .with_hint(
            "only little-endian files are read; fetch that one, or convert it with `gguf-"
            "convert-endian` of PyPI's gguf");
  if (header.version != 2 && header.version != 3)
    throw Error(ErrorKind::invalid,
                fmt::format("{}: GGUF version {}; 2 and 3 are read", source, header.version))
        .with_hint(header.version == 1 ? "version 1 was written in August 2023 only; convert the "
                                         "original model again"
                                       : "the file is newer than this helio, or damaged");
  const auto tensors = reader.number<uint64_t>([] { return "the number of tensors"; });
  const auto values = reader.number<uint64_t>([] { return "the number of metadata values"; });
  // The shortest of each: the counts alone must not make anything large.
  if (tensors > reader.left() / 24 || values > reader.left() / 13)
    throw reader.fail(
        fmt::format("says it has {} tensors and {} metadata values, more than its {} "
                    "bytes have room for",
                    tensors, values, bytes.size()));
  std::unordered_set<std::string_view> seen;
  for (uint64_t i = 0; i < values; ++i) {
    header.metadata.push_back(read_value(reader, i));
    if (!seen.insert(header.metadata.back().key).second)
      throw reader.fail("metadata '" + shown(header.metadata.back().key) + "' is there twice");
  }
  read_alignment(header, reader);
  seen.clear();
  for (uint64_t i = 0; i < tensors; ++i) {
    header.tensors.push_back(read_tensor(reader, i));
    if (!seen.insert(header.tensors.back().name).second)
      throw reader.fail("tensor '" + shown(header.tensors.back().name) + "' is there twice");
  }
  place_tensors(header, reader, bytes.size());
  return header;
}

GgufFile::GgufFile(const std::filesystem::path& path)
    : path_(path), map_(path), header_(parse_gguf(map_.text(), path.string())) {}

std::span<const std::byte> GgufFile::data(const GgufTensor& tensor) const {
  return map_.bytes().subspan(tensor.offset, tensor.size);
}

const GgufValue& GgufFile::at(std::string_view key) const {
  if (const auto* value = find(key)) return *value;
  throw Error(ErrorKind::invalid,
              path_.string() + ": there is no metadata '" + std::string(key) + "'")
      .with_hint("the file is damaged or made by a tool that leaves it out");
}

std::optional<int64_t> GgufFile::integer(std::string_view key) const {
  const auto* value = find(key);
  return value ? std::optional(value->integer()) : std::nullopt;
}
std::optional<double> GgufFile::number(std::string_view key) const {
  const auto* value = find(key);
  return value ? std::optional(value->number()) : std::nullopt;
}
std::optional<bool> GgufFile::boolean(std::string_view key) const {
  const auto* value = find(key);
  return value ? std::optional(value->boolean()) : std::nullopt;
}
std::optional<std::string> GgufFile::string(std::string_view key) const {
  const auto* value = find(key);
  return value ? std::optional(std::string(value->string())) : std::nullopt;
}

bool is_gguf(const std::filesystem::path& path) {
  char magic[4] = {};
  std::ifstream file(path, std::ios::binary);
  return file.read(magic, sizeof magic) && std::string_view(magic, 4) == "GGUF";
}

}  // namespace helio
