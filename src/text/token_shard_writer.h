// Writes token shards (see token_shards.h): documents of ids in, a folder of shards out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/fs.h"
#include "core/json.h"
#include "core/monitor.h"
#include "text/token_shards.h"
#include "text/tokenizer.h"

namespace helio::text {

struct ShardWriterOptions {
  int64_t vocab_size = 0;              // ids are below it; up to 65536 they take two bytes
  TokenId eos = 0;                     // written after each document
  std::string tokenizer_content = {};  // content hash of the tokenizer
  int64_t shard_tokens = 64 << 20;     // a shard is closed before it grows beyond (one longer
                                       // document still goes into one shard)
};

struct DocumentSource {
  std::string split = {}, lot = {}, partner = {}, language = {};
};

class TokenShardWriter {
 public:
  TokenShardWriter(std::filesystem::path dir, ShardWriterOptions options);
  ~TokenShardWriter();
  // Documents of one split stand in the order they are added.
  void add(const DocumentSource& source, std::span<const TokenId> ids);
  // Closes the shards and writes tokens.json; returns what it says.
  OrderedJson finish();

 private:
  struct Counts {
    int64_t documents = 0, tokens = 0;
  };
  struct Lot {
    std::string lot = {}, partner = {};
    std::vector<std::string> languages = {};
    std::map<std::string, Counts> splits = {};
  };
  struct Open;  // the shard a split is writing
  uint32_t lot_index(const DocumentSource& source);
  void close(const std::string& split, Open& shard);

  std::filesystem::path dir_;
  ShardWriterOptions options_;
  std::vector<Lot> lots_ = {};
  std::map<std::string, uint32_t> lot_indices_ = {};
  std::map<std::string, std::unique_ptr<Open>> open_;
  std::map<std::string, int64_t> shards_of_ = {};
  std::map<std::string, Counts> totals_ = {};
  OrderedJson shards_ = OrderedJson::array();
};

struct BuildTokensOptions {
  int64_t threads = 0;  // 0: as many as the machine has
  int64_t shard_tokens = 64 << 20;
};

// Encodes a dataset folder (part-*.jsonl.zst: {"text", "lot", "partner", "language", "split"}) into
// shards in `out`. The bytes do not depend on the number of threads.
OrderedJson build_tokens(const std::filesystem::path& dataset, const Tokenizer& tokenizer,
                         const ShardWriterOptions& writer, const BuildTokensOptions& options,
                         const std::filesystem::path& out, Monitor& monitor,
                         const StopRequest& stop);

}  // namespace helio::text
