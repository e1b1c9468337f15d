#include "text/token_shards.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/hash.h"
#include "core/json.h"

namespace helio::text {
namespace {

constexpr size_t kIndexEntry = 12;  // u64 end, u32 lot

template <class T>
T little_endian(const char* bytes) {
  T value = 0;
  for (size_t i = sizeof(T); i-- > 0;)
    value = static_cast<T>((value << 8) | static_cast<uint8_t>(bytes[i]));
  return value;
}

Error corrupt(const fs::path& file, const std::string& what) {
  return Error(ErrorKind::invalid, "'" + file.string() + "': " + what)
      .with_hint("the shard is damaged; build the tokens again with: helio tokens build");
}

// tokens.json's members, with types as they must be.
class Description {
 public:
  Description(const Json& json, const fs::path& file) : json_(json), file_(file) {}
  const Json& at(const char* key) const {
    const auto found = json_.is_object() ? json_.find(key) : json_.end();
    if (!json_.is_object() || found == json_.end()) throw bad(key);
    return *found;
  }
  std::string text(const char* key) const {
    if (!at(key).is_string()) throw bad(key);
    return at(key).get<std::string>();
  }
  int64_t count(const char* key) const {
    const Json& value = at(key);
    if (!value.is_number_unsigned() || value.get<uint64_t>() > (uint64_t(1) << 62)) throw bad(key);
    return value.get<int64_t>();
  }
  const Json& list(const char* key) const {
    if (!at(key).is_array()) throw bad(key);
    return at(key);
  }
  Description inside(const Json& json) const { return {json, file_}; }

 private:
  Error bad(const char* key) const {
    return corrupt(file_, "'" + std::string(key) + "' is missing or not what it must be");
  }
  const Json& json_;
  const fs::path& file_;
};

// A shard's name is a plain file name: tokens.json must not lead anywhere else.
fs::path shard_path(const fs::path& dir, const std::string& name, const fs::path& description) {
  if (name.size() < 5 || !name.ends_with(".bin") || name.find('/') != std::string::npos)
    throw corrupt(description, "'" + name + "' is no shard's name");
  return dir / name;
}

}  // namespace

TokenShards::TokenShards(const std::filesystem::path& dir, const std::string& split) {
  const fs::path file = dir / "tokens.json";
  if (!fs::exists(file))
    throw Error(ErrorKind::not_found, "'" + dir.string() + "' has no tokens.json")
        .with_hint("build token shards with: helio tokens build");
  const Json json = load_json(file);
  const Description all(json, file);
  if (all.count("format") != 1)
    throw corrupt(file, "format " + all.at("format").dump() + " is not known to this version");
  const std::string dtype = all.text("dtype");
  if (dtype != "uint16" && dtype != "uint32")
    throw corrupt(file, "dtype '" + dtype + "' is not known");
  bytes_per_token_ = dtype == "uint16" ? 2 : 4;
  vocab_size_ = all.count("vocab_size");
  tokenizer_content_ = all.text("tokenizer");
  const int64_t eos = all.count("eos");
  if (vocab_size_ > (int64_t(1) << 31) || eos >= vocab_size_)
    throw corrupt(file, "eos is beyond the vocabulary");
  eos_ = static_cast<int32_t>(eos);

  const Json& splits = all.at("splits");
  if (!splits.is_object() || !splits.contains(split)) {
    std::string known;
    if (splits.is_object())
      for (const auto& [name, counts] : splits.items()) known += (known.empty() ? "" : ", ") + name;
    throw Error(ErrorKind::not_found, "'" + dir.string() + "' has no split '" + split + "'")
        .with_hint("it has: " + (known.empty() ? "none" : known));
  }
  for (const auto& lot : all.list("lots")) {
    const Description of = all.inside(lot);
    lots_.push_back(
        {.lot = of.text("lot"), .partner = of.text("partner"), .language = of.text("language")});
  }

  for (const auto& entry : all.list("shards")) {
    const Description of = all.inside(entry);
    if (of.text("split") != split) continue;
    const fs::path path = shard_path(dir, of.text("file"), file);
    const fs::path index_path = fs::path(path).replace_extension(".idx");
    const auto tokens = static_cast<uint64_t>(of.count("tokens"));
    const auto documents = static_cast<uint64_t>(of.count("documents"));
    MappedFile shard(path);
    const MappedFile index(index_path);
    const auto width = static_cast<uint64_t>(bytes_per_token_);
    if (shard.size() % width != 0 || shard.size() / width != tokens)
      throw corrupt(path, "it has " + std::to_string(shard.size()) + " bytes, not those of " +
                              std::to_string(tokens) + " tokens");
    if (index.size() % kIndexEntry != 0 || index.size() / kIndexEntry != documents)
      throw corrupt(index_path, "it does not have " + std::to_string(documents) + " entries");
    if (sha256_hex(shard.text()) != of.text("sha256"))
      throw corrupt(path, "its hash is not the recorded one");
    if (sha256_hex(index.text()) != of.text("index_sha256"))
      throw corrupt(index_path, "its hash is not the recorded one");

    const auto id_at = [&](uint64_t token) -> int64_t {
      const char* bytes = shard.text().data() + token * width;
      return width == 2 ? little_endian<uint16_t>(bytes) : little_endian<uint32_t>(bytes);
    };
    for (uint64_t i = 0; i < tokens; ++i)
      if (id_at(i) >= vocab_size_)
        throw corrupt(path, "token " + std::to_string(i) + " is beyond the vocabulary");
    uint64_t begin = 0;
    for (uint64_t i = 0; i < documents; ++i) {
      const char* bytes = index.text().data() + i * kIndexEntry;
      const auto end = little_endian<uint64_t>(bytes);
      const auto lot = little_endian<uint32_t>(bytes + 8);
      if (end <= begin || end > tokens || lot >= lots_.size() || id_at(end - 1) != eos_)
        throw corrupt(index_path, "document " + std::to_string(i) + " is not within the shard");
      documents_.push_back({static_cast<uint32_t>(shards_.size()), lot, begin, end});
      ++lots_[lot].documents;
      lots_[lot].tokens += static_cast<int64_t>(end - begin);
      begin = end;
    }
    if (begin != tokens) throw corrupt(index_path, "the last document does not end the shard");
    tokens_ += static_cast<int64_t>(tokens);
    shards_.push_back({std::move(shard)});
  }
}

void TokenShards::read(const Document& document, uint64_t from, std::span<int32_t> out) const {
  HELIO_CHECK(
      from <= document.end - document.begin && out.size() <= document.end - document.begin - from,
      "reading beyond a document");
  const char* bytes = shards_[document.shard].file.text().data() +
                      (document.begin + from) * static_cast<uint64_t>(bytes_per_token_);
  if (bytes_per_token_ == 2)
    for (auto& id : out) id = little_endian<uint16_t>(bytes), bytes += 2;
  else
    for (auto& id : out) id = static_cast<int32_t>(little_endian<uint32_t>(bytes)), bytes += 4;
}

}  // namespace helio::text
