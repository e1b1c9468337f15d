// Ids of documents in one file ("x.bin"): little endian, two bytes each when the vocabulary has up
// to 65,536 ids, otherwise four, one document behind the other, with the lengths beside it:
//
//   x.bin.json  {"format": 1, "dtype": "uint16"|"uint32", "vocab_size", "documents", "tokens",
//                "lengths": [tokens of each document]}
//
// numpy reads it with np.fromfile("x.bin", dtype). For training see token_shards.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "core/fs.h"
#include "text/tokenizer.h"

namespace helio::text {

class TokenFileWriter {
 public:
  TokenFileWriter(const fs::path& path, int64_t vocab_size);
  void add(std::span<const TokenId> ids);
  void commit();  // without it nothing appears under the names

 private:
  fs::path path_;
  AtomicFile file_;
  int64_t vocab_size_, tokens_ = 0;
  std::vector<int64_t> lengths_ = {};
  std::string bytes_ = {};
};

// Calls document(ids) for each. Error{invalid} when file and lengths do not fit each other, or an
// id is not below `vocab_size`.
void read_token_file(const fs::path& path, int64_t vocab_size,
                     const std::function<void(const std::vector<TokenId>&)>& document);

}  // namespace helio::text
