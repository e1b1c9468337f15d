#include "text/token_file.h"

#include "core/error.h"
#include "core/json.h"

namespace helio::text {
namespace {

constexpr int64_t kTwoBytes = 65536;

fs::path beside(const fs::path& path) { return path.string() + ".json"; }

}  // namespace

TokenFileWriter::TokenFileWriter(const fs::path& path, int64_t vocab_size)
    : path_(path), file_(path), vocab_size_(vocab_size) {}

void TokenFileWriter::add(std::span<const TokenId> ids) {
  const int size = vocab_size_ <= kTwoBytes ? 2 : 4;
  bytes_.resize(ids.size() * static_cast<size_t>(size));
  char* to = bytes_.data();
  for (const TokenId id : ids) {
    HELIO_CHECK(id >= 0 && id < vocab_size_, "an id beyond the vocabulary");
    for (int i = 0; i < size; ++i) *to++ = static_cast<char>(static_cast<uint32_t>(id) >> (8 * i));
  }
  file_.write(bytes_);
  lengths_.push_back(static_cast<int64_t>(ids.size()));
  tokens_ += static_cast<int64_t>(ids.size());
}

void TokenFileWriter::commit() {
  const OrderedJson index = {{"format", 1},
                             {"dtype", vocab_size_ <= kTwoBytes ? "uint16" : "uint32"},
                             {"vocab_size", vocab_size_},
                             {"documents", lengths_.size()},
                             {"tokens", tokens_},
                             {"lengths", lengths_}};
  file_.commit();
  write_file_atomic(beside(path_), compact(index) + "\n");
}

void read_token_file(const fs::path& path, int64_t vocab_size,
                     const std::function<void(const std::vector<TokenId>&)>& document) {
  const auto bad = [&](const std::string& what) {
    return Error(ErrorKind::invalid, "'" + path.string() + "': " + what)
        .with_hint("write it again with helio tokenizer encode --out");
  };
  const Json index = load_json(beside(path));
  if (!index.is_object() || !index.contains("lengths") || !index["lengths"].is_array() ||
      index.value("format", Json()) != 1)
    throw bad("the .json beside it does not say the lengths of its documents");
  const Json dtype = index.value("dtype", Json());
  if (dtype != "uint16" && dtype != "uint32") throw bad("its dtype is neither uint16 nor uint32");
  const size_t size = dtype == "uint16" ? 2 : 4;
  const MappedFile file(path);
  const std::string_view bytes = file.text();
  size_t at = 0;
  std::vector<TokenId> ids;
  for (const auto& length : index["lengths"]) {
    if (!length.is_number_unsigned() || length.get<uint64_t>() > (bytes.size() - at) / size)
      throw bad("it is shorter than its lengths say");
    ids.clear();
    for (uint64_t i = 0; i < length.get<uint64_t>(); ++i, at += size) {
      uint32_t id = 0;
      for (size_t byte = 0; byte < size; ++byte)
        id |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + byte])) << (8 * byte);
      if (id >= static_cast<uint64_t>(vocab_size))
        throw bad("token " + std::to_string(at / size) + " has id " + std::to_string(id) +
                  ", which this tokenizer does not have");
      ids.push_back(static_cast<TokenId>(id));
    }
    document(ids);
  }
  if (at != bytes.size()) throw bad("it is longer than its lengths say");
}

}  // namespace helio::text
