#include "text/token_shard_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "text/line_batches.h"

namespace helio::text {
namespace {

bool is_split_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

template <class T>
void put(std::string& out, T value) {  // little endian on every machine
  for (size_t i = 0; i < sizeof(T); ++i)
    out.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

// A file that is hashed while it is written.
class HashedFile {
 public:
  explicit HashedFile(const fs::path& path) : file_(path) {}
  void write(std::string_view bytes) {
    file_.write(bytes);
    hash_.update(bytes);
  }
  std::string commit() {
    file_.commit();
    return hash_.hex();
  }

 private:
  AtomicFile file_;
  Sha256Stream hash_ = {};
};

}  // namespace

struct TokenShardWriter::Open {
  Open(const fs::path& dir, std::string stem)
      : name(std::move(stem)),
        tokens_file(dir / (name + ".bin")),
        index_file(dir / (name + ".idx")) {}
  std::string name;
  HashedFile tokens_file, index_file;
  Counts counts = {};
};

TokenShardWriter::TokenShardWriter(std::filesystem::path dir, ShardWriterOptions options)
    : dir_(std::move(dir)), options_(std::move(options)) {
  HELIO_CHECK(options_.eos >= 0 && options_.eos < options_.vocab_size, "eos beyond the vocabulary");
  HELIO_CHECK(options_.shard_tokens > 0, "shards without tokens");
}

TokenShardWriter::~TokenShardWriter() = default;

uint32_t TokenShardWriter::lot_index(const DocumentSource& source) {
  const auto [place, is_new] =
      lot_indices_.emplace(source.lot, static_cast<uint32_t>(lots_.size()));
  if (is_new) lots_.push_back({.lot = source.lot, .partner = source.partner});
  Lot& lot = lots_[place->second];
  if (lot.partner != source.partner)
    throw Error(ErrorKind::invalid, "lot '" + source.lot + "' belongs to two partners: '" +
                                        lot.partner + "' and '" + source.partner + "'");
  const auto language =
      std::lower_bound(lot.languages.begin(), lot.languages.end(), source.language);
  if (language == lot.languages.end() || *language != source.language)
    lot.languages.insert(language, source.language);
  return place->second;
}

void TokenShardWriter::add(const DocumentSource& source, std::span<const TokenId> ids) {
  if (!is_split_name(source.split))
    throw Error(ErrorKind::invalid, "'" + source.split + "' is no name for a split")
        .with_hint("use lower-case letters, digits, '-' and '_', such as train and heldout");
  auto& shard = open_[source.split];
  const auto size = static_cast<int64_t>(ids.size()) + 1;
  if (shard && shard->counts.tokens > 0 && shard->counts.tokens + size > options_.shard_tokens)
    close(source.split, *shard), shard.reset();
  if (!shard)
    shard = std::make_unique<Open>(
        dir_, fmt::format("{}-{:05}", source.split, shards_of_[source.split]++));

  std::string bytes;
  const auto append = [&](TokenId id) {
    HELIO_CHECK(id >= 0 && id < options_.vocab_size, "a token id beyond the vocabulary");
    if (options_.vocab_size <= 65536) put(bytes, static_cast<uint16_t>(id));
    else put(bytes, static_cast<uint32_t>(id));
  };
  bytes.reserve(ids.size() * 4 + 4);
  for (const TokenId id : ids) append(id);
  append(options_.eos);
  shard->tokens_file.write(bytes);

  const uint32_t lot = lot_index(source);
  for (Counts* counts :
       {&shard->counts, &totals_[source.split], &lots_[lot].splits[source.split]}) {
    ++counts->documents;
    counts->tokens += size;
  }
  std::string entry;
  put(entry, static_cast<uint64_t>(shard->counts.tokens));
  put(entry, lot);
  shard->index_file.write(entry);
}

void TokenShardWriter::close(const std::string& split, Open& shard) {
  const std::string tokens = shard.tokens_file.commit(), index = shard.index_file.commit();
  shards_.push_back({{"file", shard.name + ".bin"},
                     {"split", split},
                     {"tokens", shard.counts.tokens},
                     {"documents", shard.counts.documents},
                     {"sha256", tokens},
                     {"index_sha256", index}});
}

OrderedJson TokenShardWriter::finish() {
  for (auto& [split, shard] : open_) close(split, *shard);
  open_.clear();
  // Splits close their shards whenever they are full: order them by name.
  std::sort(shards_.begin(), shards_.end(), [](const OrderedJson& a, const OrderedJson& b) {
    return a["file"].get<std::string>() < b["file"].get<std::string>();
  });
  Counts all;
  OrderedJson splits = OrderedJson::object(), lots = OrderedJson::array();
  for (const auto& [split, total] : totals_) {
    all.documents += total.documents;
    all.tokens += total.tokens;
    OrderedJson by_lot = OrderedJson::array();
    for (const auto& lot : lots_) {
      const auto found = lot.splits.find(split);
      const Counts counts = found == lot.splits.end() ? Counts{} : found->second;
      by_lot.push_back(
          {{"lot", lot.lot}, {"documents", counts.documents}, {"tokens", counts.tokens}});
    }
    splits[split] = {{"documents", total.documents}, {"tokens", total.tokens}, {"lots", by_lot}};
  }
  for (const auto& lot : lots_) {
    Counts counts;
    for (const auto& [split, part] : lot.splits) {
      counts.documents += part.documents;
      counts.tokens += part.tokens;
    }
    lots.push_back({{"lot", lot.lot},
                    {"partner", lot.partner},
                    {"language", fmt::format("{}", fmt::join(lot.languages, "+"))},
                    {"documents", counts.documents},
                    {"tokens", counts.tokens}});
  }
  OrderedJson json = {{"format", 1},
                      {"dtype", options_.vocab_size <= 65536 ? "uint16" : "uint32"},
                      {"vocab_size", options_.vocab_size},
                      {"tokens", all.tokens},
                      {"documents", all.documents},
                      {"tokenizer", options_.tokenizer_content},
                      {"eos", options_.eos},
                      {"lots", lots},
                      {"splits", splits},
                      {"shards", shards_}};
  write_file_atomic(dir_ / "tokens.json", pretty(json));
  return json;
}

namespace {

struct Encoded {
  DocumentSource source = {};
  std::vector<TokenId> ids = {};
};

Encoded encode_row(const Json& row, const Tokenizer& tokenizer) {
  return {{.split = row_text(row, "split"),
           .lot = row_text(row, "lot"),
           .partner = row_text(row, "partner"),
           .language = row_text(row, "language")},
          tokenizer.encode(row_text(row, "text"), SpecialTokens::skip)};
}

}  // namespace

OrderedJson build_tokens(const std::filesystem::path& dataset, const Tokenizer& tokenizer,
                         const ShardWriterOptions& writer_options,
                         const BuildTokensOptions& options, const std::filesystem::path& out,
                         Monitor& monitor, const StopRequest& stop) {
  const int threads = thread_count(options.threads);
  LineBatches batches(dataset_parts(dataset));
  ShardWriterOptions shard_options = writer_options;
  shard_options.shard_tokens = options.shard_tokens;
  TokenShardWriter writer(out, shard_options);

  monitor.begin("tokens", batches.bytes_total(), "bytes");
  int64_t written = 0;
  std::vector<SourceLine> lines;
  while (batches.next(lines)) {
    stop.check();
    std::vector<Encoded> rows(lines.size());
    parallel_slices(lines.size(), threads, 16, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; ++i)
        in_context([&] { return "reading " + batches.place(lines[i]); },
                   [&] { rows[i] = encode_row(batches.row(lines[i]), tokenizer); });
    });
    for (const auto& row : rows) {
      writer.add(row.source, row.ids);
      written += static_cast<int64_t>(row.ids.size()) + 1;
    }
    monitor.at(batches.bytes_done(), fmt::format("{} tokens", fmt::group_digits(written)));
  }
  OrderedJson json = writer.finish();
  monitor.end(fmt::format("{} tokens in {} documents",
                          fmt::group_digits(json["tokens"].get<int64_t>()),
                          fmt::group_digits(json["documents"].get<int64_t>())));
  return json;
}

}  // namespace helio::text
