// A workspace in small for whole runs: a tokenizer, token shards of random documents, a model.
#pragma once

#include "core/fs.h"
#include "core/manifest.h"
#include "core/rng.h"
#include "support.h"
#include "text/token_shard_writer.h"
#include "train/options.h"

namespace helio::train {

// The tokenizer of the chat fixtures, as a folder.
inline void write_tokenizer(const std::filesystem::path& dir) {
  write_file_atomic(dir / "tokenizer.json", read_file(fixture("chat_solar/tokenizer.json")));
  write_file_atomic(dir / "tokenizer_config.json",
                    R"({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"})");
}

struct Corpus {
  int64_t vocab_size = 259, train_documents = 40, heldout_documents = 6;
};

// Documents of 1 to 30 ids that repeat a short pattern, from two lots; eos is </s>.
inline void write_tokens(const std::filesystem::path& dir, const Corpus& corpus,
                         const std::string& tokenizer = "test") {
  make_dirs(dir);
  text::TokenShardWriter writer(dir, {.vocab_size = corpus.vocab_size,
                                      .eos = 257,
                                      .tokenizer_content = tokenizer,
                                      .shard_tokens = 200});
  Rng rng(11);
  for (int64_t d = 0; d < corpus.train_documents + corpus.heldout_documents; ++d) {
    std::vector<text::TokenId> ids;
    const auto length = 1 + rng.below(30), period = 2 + rng.below(3);
    for (uint64_t i = 0; i < length; ++i)
      ids.push_back(i < period ? static_cast<text::TokenId>(2 + rng.below(40)) : ids[i - period]);
    const bool held = d >= corpus.train_documents;
    writer.add({.split = held ? "heldout" : "train",
                .lot = d % 3 == 0 ? "b" : "a",
                .partner = d % 3 == 0 ? "B" : "A",
                .language = "en"},
               ids);
  }
  writer.finish();
}

inline Optimisation tiny_training() {
  Optimisation train;
  train.steps = 6;
  train.batch_size = 4;
  train.micro_batch_size = 2;
  train.lr = 5e-3;
  train.threads = 2;
  train.save_every = 2;
  return train;
}

// Told at every checkpoint: enough to see that they are.
inline Sampling tiny_sampling() { return {.samples = 1, .sample_tokens = 3}; }

inline ModelShape tiny_shape() {
  ModelShape shape;
  shape.layers = 2;
  shape.hidden = 24;
  shape.heads = 4;
  shape.kv_heads = 2;
  shape.ffn = 32;
  shape.context = 256;
  return shape;
}

// metrics.jsonl without what tells clock time.
inline std::string untimed_metrics(const std::filesystem::path& run) {
  std::string all;
  for (Json row : read_all(run / "metrics.jsonl")) {
    row.erase("tokens_per_s");
    row.erase("throughput/mfu");
    all += row.dump() + "\n";
  }
  return all;
}

}  // namespace helio::train
