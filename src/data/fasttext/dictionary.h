// Looking up a model's words and the rows of its n-grams.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/fasttext/features.h"
#include "data/fasttext/format.h"

namespace helio::data::fasttext {

class Dictionary {
 public:
  explicit Dictionary(const ModelFile& file)
      : words_(&file.words),
        labels_(&file.labels),
        minn_(file.args.minn),
        maxn_(file.args.maxn),
        buckets_(uint32_t(file.args.bucket)),
        pruned_(file.pruned) {
    size_t size = 16;
    while (size < 2 * (file.words.size() + file.labels.size())) size *= 2;
    slots_.resize(size);
    for (size_t i = 0; i < file.words.size(); ++i) insert(file.words[i], int32_t(i));
    for (size_t i = 0; i < file.labels.size(); ++i)
      insert(file.labels[i], int32_t(file.words.size() + i));
    if (!pruned_) return;
    blocks_.resize(size_t(file.args.bucket) / 64 + 1);
    for (const auto& [bucket, row] : file.kept_buckets) {
      blocks_[size_t(bucket) / 64].bits |= uint64_t(1) << (bucket % 64);
      rows_.push_back(int32_t(file.words.size()) + row);
    }
    uint32_t before = 0;
    for (Block& block : blocks_) block.before = before, before += ones(block.bits);
  }

  // The entry's number, words first, then labels; -1 for what is not in the dictionary.
  int32_t find(std::string_view text, uint32_t hash) const {
    for (size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.id < 0) return -1;
      if (slot.hash == hash && entry(slot.id) == text) return slot.id;
    }
  }

  // Calls sink(rows, count) with the rows of a word's character n-grams, a few at a time.
  template <class Sink>
  void char_ngram_rows(std::string_view word, std::string& padded, Sink&& sink) const {
    std::array<int32_t, 256> rows;
    size_t used = 0;
    const auto hand_over = [&] {
      for (size_t i = 0; i < used; ++i) rows[i] = row_of(uint32_t(rows[i]));
      sink(rows.data(), used);
      used = 0;
    };
    for_each_char_ngram(word, minn_, maxn_, padded, [&](uint32_t hash) {
      const uint32_t bucket = buckets_.of(hash);
      rows[used] = int32_t(bucket);
      // Most n-grams of a pruned model have no row: they are passed by without a branch.
      used += pruned_ ? (blocks_[bucket / 64].bits >> (bucket % 64)) & 1 : 1;
      if (used == rows.size()) hand_over();
    });
    if (used > 0) hand_over();
  }

  // The row of a word n-gram, or -1.
  int32_t word_ngram_row(uint64_t hash) const {
    const uint32_t bucket = buckets_.of_wide(hash);
    if (pruned_ && !((blocks_[bucket / 64].bits >> (bucket % 64)) & 1)) return -1;
    return row_of(bucket);
  }

 private:
  struct Slot {
    uint32_t hash = 0;
    int32_t id = -1;
  };
  // Which of 64 buckets have a row, and how many before them do.
  struct Block {
    uint64_t bits = 0;
    uint32_t before = 0;
  };

  static uint32_t ones(uint64_t x) {  // without a call where the machine's own is not assumed
    x -= (x >> 1) & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
    return uint32_t((((x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu) * 0x0101010101010101u) >> 56);
  }
  int32_t row_of(uint32_t bucket) const {
    if (!pruned_) return int32_t(words_->size()) + int32_t(bucket);
    const Block& block = blocks_[bucket / 64];
    return rows_[block.before + ones(block.bits & ((uint64_t(1) << (bucket % 64)) - 1))];
  }
  std::string_view entry(int32_t id) const {
    const size_t i = size_t(id);
    return i < words_->size() ? (*words_)[i] : (*labels_)[i - words_->size()];
  }
  void insert(std::string_view text, int32_t id) {
    const uint32_t hash = hash_of(text);
    size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].id >= 0; at = (at + 1) & (slots_.size() - 1))
      if (slots_[at].hash == hash && entry(slots_[at].id) == text) return;  // the first one counts
    slots_[at] = {hash, id};
  }

  const std::vector<std::string_view>* words_;
  const std::vector<std::string_view>* labels_;
  int32_t minn_, maxn_;
  Modulus buckets_;
  bool pruned_;
  std::vector<Slot> slots_ = {};
  std::vector<Block> blocks_ = {};
  std::vector<int32_t> rows_ = {};
};

}  // namespace helio::data::fasttext
