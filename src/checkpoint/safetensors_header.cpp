#include "checkpoint/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "core/error.h"
#include "core/json.h"

namespace helio::checkpoint {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";

struct DTypeRow {
  DType dtype;
  std::string_view name;
  size_t size;
};
// In the order of the reference's enumeration, which is also the order of its writer (backwards).
constexpr DTypeRow kDTypes[] = {
    {DType::boolean, "BOOL", 1},    {DType::u8, "U8", 1},           {DType::i8, "I8", 1},
    {DType::f8_e5m2, "F8_E5M2", 1}, {DType::f8_e4m3, "F8_E4M3", 1}, {DType::i16, "I16", 2},
    {DType::u16, "U16", 2},         {DType::f16, "F16", 2},         {DType::bf16, "BF16", 2},
    {DType::i32, "I32", 4},         {DType::u32, "U32", 4},         {DType::f32, "F32", 4},
    {DType::f64, "F64", 8},         {DType::i64, "I64", 8},         {DType::u64, "U64", 8},
};

const DTypeRow& row(DType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }

// Reads the header's JSON event by event: the shape of the document is known, so nothing but the
// tensors is ever built, and nesting deeper than the format's three levels ends the parse at once.
class HeaderReader final : public nlohmann::json_sax<Json> {
 public:
  HeaderReader(SafeTensorsHeader& header, const std::string& source)
      : header_(header), source_(source) {}

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    return unexpected("a number that is not a whole number below 2^63");
  }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) {
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return fail("a dimension larger than 2^63");
      if (tensor_.shape.size() == kMaxDimensions)
        return fail(fmt::format("more than {} dimensions", kMaxDimensions));
      tensor_.shape.push_back(static_cast<int64_t>(value));
      return true;
    }
    if (place_ == Place::offsets) {
      if (offsets_.size() == 2) return fail("more than two data_offsets");
      offsets_.push_back(value);
      return true;
    }
    return unexpected("a number");
  }

  bool string(string_t& value) override {
    if (place_ == Place::metadata) {
      header_.metadata[key_] = std::move(value);
      return true;
    }
    if (place_ == Place::tensor && key_ == "dtype") {
      for (const auto& known : kDTypes)
        if (known.name == value) {
          tensor_.dtype = known.dtype;
          return true;
        }
      return fail("unknown dtype '" + shown(value) + "'");
    }
    return unexpected("a string");
  }

  bool start_object(size_t) override {
    if (place_ == Place::outside) {
      place_ = Place::top;
    } else if (place_ == Place::top && key_ == kMetadataKey) {
      place_ = Place::metadata;
    } else if (place_ == Place::top) {
      place_ = Place::tensor;
      tensor_ = {};
      tensor_.name = key_;
      offsets_.clear();
      fields_ = 0;
    } else {
      return unexpected("an object");
    }
    return true;
  }

  bool key(string_t& name) override {
    if (place_ == Place::top) {
      if (!names_.insert(name).second) return fail("'" + shown(name) + "' is there twice");
      tensor_.name.clear();
    } else if (place_ == Place::metadata) {
      if (header_.metadata.contains(name))
        return fail("metadata '" + shown(name) + "' is there twice");
    } else {
      const unsigned bit = name == "dtype"          ? 1U
                           : name == "shape"        ? 2U
                           : name == "data_offsets" ? 4U
                                                    : 0U;
      if (bit == 0) return fail("unknown key '" + shown(name) + "'");
      if ((fields_ & bit) != 0) return fail("key '" + name + "' is there twice");
      fields_ |= bit;
    }
    key_ = std::move(name);
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor) {
      if (fields_ != 7)
        return fail(std::string("no '") +
                    ((fields_ & 1U) == 0   ? "dtype"
                     : (fields_ & 2U) == 0 ? "shape"
                                           : "data_offsets") +
                    "'");
      if (offsets_.size() != 2) return fail("data_offsets are not two numbers");
      if (offsets_[1] < offsets_[0]) return fail("data_offsets run backwards");
      tensor_.offset = offsets_[0];
      tensor_.size = offsets_[1] - offsets_[0];
      header_.tensors.push_back(std::move(tensor_));
      tensor_ = {};
    }
    place_ = place_ == Place::top ? Place::outside : Place::top;
    return true;
  }

  bool start_array(size_t) override {
    if (place_ != Place::tensor || key_ == "dtype") return unexpected("a list");
    place_ = key_ == "shape" ? Place::shape : Place::offsets;
    return true;
  }
  bool end_array() override {
    place_ = Place::tensor;
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return fail(fmt::format("the header is not valid JSON at byte {}", position + 8));
  }

  const std::string& problem() const { return problem_; }

 private:
  enum class Place { outside, top, metadata, tensor, shape, offsets };
  static constexpr size_t kMaxDimensions = 64;

  bool fail(std::string what) {
    problem_ =
        tensor_.name.empty() ? std::move(what) : "tensor '" + shown(tensor_.name) + "': " + what;
    return false;
  }
  bool unexpected(std::string_view what) {
    std::string where =
        place_ == Place::outside ? "in place of the header's object" : "at '" + shown(key_) + "'";
    return fail(fmt::format("{} {}, where the format has none", what, where));
  }

  SafeTensorsHeader& header_;
  const std::string& source_;
  Place place_ = Place::outside;
  std::string key_ = {}, problem_ = {};
  std::unordered_set<std::string> names_ = {};
  TensorInfo tensor_ = {};
  std::vector<uint64_t> offsets_ = {};
  unsigned fields_ = 0;
};

Error bad_file(const std::string& source, const std::string& what) {
  return Error(ErrorKind::invalid, source + ": " + what)
      .with_hint("the file is damaged or not safetensors; fetch or save it again");
}

uint64_t read_length(std::string_view head, uint64_t file_size, const std::string& source) {
  if (head.size() < 8)
    throw bad_file(source, fmt::format("only {} bytes, no safetensors file", file_size));
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = (length << 8) | static_cast<uint8_t>(head[static_cast<size_t>(i)]);
  const bool zip = head.substr(0, 4) == "PK\x03\x04", pickle = head[0] == '\x80' && head[1] <= 5;
  if (length > kMaxHeaderBytes && (zip || pickle))
    throw Error(ErrorKind::invalid, source + ": a PyTorch pickle, not safetensors")
        .with_hint(
            "pickles can run code and are not read; save the model with "
            "save_pretrained(..., safe_serialization=True)");
  if (length > kMaxHeaderBytes)
    throw bad_file(source, fmt::format("the header says it has {} bytes; {} are the most allowed",
                                       length, kMaxHeaderBytes));
  if (length > file_size - 8 || length > head.size() - 8)
    throw bad_file(
        source, fmt::format("truncated: the header has {} bytes, the file {}", length, file_size));
  return length;
}

void check_tiling(SafeTensorsHeader& header, uint64_t file_size, const std::string& source) {
  std::stable_sort(header.tensors.begin(), header.tensors.end(),
                   [](const TensorInfo& a, const TensorInfo& b) {
                     return a.offset != b.offset ? a.offset < b.offset : a.size < b.size;
                   });
  const uint64_t room = file_size - header.data_begin;
  uint64_t end = 0;
  for (auto& tensor : header.tensors) {
    const auto fail = [&](const std::string& what) {
      return bad_file(source, "tensor '" + shown(tensor.name) + "': " + what);
    };
    if (tensor.offset > room || tensor.size > room - tensor.offset)
      throw fail(fmt::format("ends at data byte {}, the file has {} (truncated?)",
                             tensor.offset + tensor.size, room));
    uint64_t expected = 0;
    try {
      expected = tensor_bytes(tensor.name, tensor.dtype, tensor.shape);
    } catch (const Error& error) {
      throw bad_file(source, error.message());
    }
    if (expected != tensor.size)
      throw fail(fmt::format("dtype and shape need {} bytes, data_offsets give {}", expected,
                             tensor.size));
    if (tensor.offset != end)
      throw fail(fmt::format("begins at data byte {} where {} was expected ({})", tensor.offset,
                             end, tensor.offset < end ? "overlap" : "hole"));
    end = tensor.offset + tensor.size;
    tensor.offset += header.data_begin;
  }
  if (end != room)
    throw bad_file(source, fmt::format("{} bytes after the last tensor", room - end));
}

std::string quoted(const std::string& text) {
  try {
    return Json(text).dump();  // serde_json escapes the same characters the same way
  } catch (const Json::exception&) {
    throw Error(ErrorKind::invalid,
                "'" + shown(text) + "' is not UTF-8, which safetensors names are");
  }
}

}  // namespace

size_t dtype_size(DType dtype) { return row(dtype).size; }
std::string_view dtype_name(DType dtype) { return row(dtype).name; }

DType parse_dtype(std::string_view name) {
  std::string known;
  for (const auto& each : kDTypes) {
    if (each.name == name) return each.dtype;
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  throw Error(ErrorKind::invalid, "unknown dtype '" + shown(name) + "'")
      .with_hint("known dtypes: " + known);
}

std::string shown(std::string_view name) {
  constexpr size_t longest = 120;
  std::string out;
  for (const char c : name.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return name.size() > longest ? out + "..." : out;
}

uint64_t tensor_bytes(std::string_view name, DType dtype, const std::vector<int64_t>& shape) {
  // Below 2^63 bytes, so that no sum of offsets inside a real file can wrap.
  uint64_t bytes = dtype_size(dtype);
  bool empty = false, overflow = false;
  for (const int64_t dimension : shape) {
    if (dimension < 0)
      throw Error(ErrorKind::invalid, "tensor '" + shown(name) + "': a negative dimension");
    empty = empty || dimension == 0;
    overflow = overflow ||
               __builtin_mul_overflow(bytes, static_cast<uint64_t>(dimension), &bytes) ||
               bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  }
  if (empty) return 0;
  if (overflow)
    throw Error(ErrorKind::invalid, "tensor '" + shown(name) + "': the shape overflows 64 bits");
  return bytes;
}

SafeTensorsHeader parse_safetensors_header(std::string_view head, uint64_t file_size,
                                           const std::string& source) {
  const uint64_t length = read_length(head, file_size, source);
  const std::string_view text = head.substr(8, length);
  if (text.empty() || text[0] != '{') throw bad_file(source, "the header does not begin with '{'");
  // nlohmann takes a NUL for the end of the text and would not look at what follows.
  if (text.find('\0') != std::string_view::npos) throw bad_file(source, "a NUL byte in the header");
  SafeTensorsHeader header;
  header.data_begin = 8 + length;
  HeaderReader reader(header, source);
  if (!Json::sax_parse(text.begin(), text.end(), &reader)) throw bad_file(source, reader.problem());
  check_tiling(header, file_size, source);
  return header;
}

void plan_layout(std::vector<TensorLayout>& tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorLayout& a, const TensorLayout& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
  });
  std::unordered_set<std::string_view> names;
  for (auto& tensor : tensors) {
    if (tensor.name == kMetadataKey || !names.insert(tensor.name).second)
      throw Error(ErrorKind::invalid,
                  "cannot write tensor '" + shown(tensor.name) + "': " +
                      (tensor.name == kMetadataKey ? "the name is reserved" : "it is there twice"));
    tensor.size = tensor_bytes(tensor.name, tensor.dtype, tensor.shape);
  }
}

std::string make_safetensors_header(const std::vector<TensorLayout>& tensors,
                                    const std::map<std::string, std::string>& metadata) {
  std::string text(8, '\0');
  text += '{';
  const auto comma = [&] {
    if (text.back() != '{') text += ',';
  };
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      comma();
      text += quoted(key) + ":" + quoted(value);
    }
    text += '}';
  }
  uint64_t offset = 0;
  for (const auto& tensor : tensors) {
    comma();
    text += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                        quoted(tensor.name), dtype_name(tensor.dtype), fmt::join(tensor.shape, ","),
                        offset, offset + tensor.size);
    offset += tensor.size;
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size() - 8;
  if (length > kMaxHeaderBytes)
    throw Error(ErrorKind::invalid,
                fmt::format("{} tensors need a header of {} bytes; {} are the most allowed",
                            tensors.size(), length, kMaxHeaderBytes));
  for (size_t i = 0; i < 8; ++i) text[i] = static_cast<char>(length >> (8 * i));
  return text;
}

}  // namespace helio::checkpoint
