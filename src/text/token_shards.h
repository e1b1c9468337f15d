// Token shards: what `helio tokens build` writes and training reads.
//
//   tokens.json      {"format": 1, "dtype": "uint16"|"uint32", "vocab_size", "tokens", "documents",
//                     "tokenizer": content hash, "eos": id, "lots": [{"lot", "partner", "language",
//                     "documents", "tokens"}], "splits": {"train": {"documents", "tokens",
//                     "lots": [{"lot", "documents", "tokens"}]}, "heldout": {...}},
//                     "shards": [{"file", "split", "tokens", "documents", "sha256",
//                     "index_sha256"}]}
//   SPLIT-00000.bin  token ids, little endian, documents one after another, each ended by `eos`
//   SPLIT-00000.idx  per document, little endian: u64 end offset (in tokens), u32 lot index
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/fs.h"

namespace helio::text {

struct LotTokens {
  std::string lot = {}, partner = {}, language = {};
  int64_t documents = 0, tokens = 0;
};

// One split ("train", "heldout") mapped into memory. Every shard's hash, size and offsets are
// checked on opening; a corrupt shard is an error that names it.
class TokenShards {
 public:
  TokenShards(const std::filesystem::path& dir, const std::string& split);

  int64_t tokens() const { return tokens_; }
  int64_t documents() const { return static_cast<int64_t>(documents_.size()); }
  int64_t vocab_size() const { return vocab_size_; }
  int32_t eos() const { return eos_; }
  const std::string& tokenizer_content() const { return tokenizer_content_; }
  const std::vector<LotTokens>& lots() const { return lots_; }  // of this split

  struct Document {
    uint32_t shard = 0, lot = 0;
    uint64_t begin = 0, end = 0;  // in tokens within the shard; the closing eos included
  };
  const Document& document(int64_t index) const { return documents_[static_cast<size_t>(index)]; }
  // Copies a document's ids from offset `from` into `out` (out.size() of them).
  void read(const Document& document, uint64_t from, std::span<int32_t> out) const;

 private:
  struct Shard {
    MappedFile file = {};
  };
  std::vector<Shard> shards_ = {};
  std::vector<Document> documents_ = {};
  std::vector<LotTokens> lots_ = {};
  std::string tokenizer_content_ = {};
  int64_t tokens_ = 0, vocab_size_ = 0;
  int32_t eos_ = 0;
  int bytes_per_token_ = 2;
};

}  // namespace helio::text
