// Fills the tables of a model with n-grams in order of their length, as KenLM 2023-09 does
// (lm/search_hashed.cc): the bytes are the same.
#pragma once

#include <optional>
#include <span>

#include "data/kenlm/arpa.h"

namespace helio::data::kenlm {

class Builder {
 public:
  // The part behind an order's n-grams is allocated by begin_order().
  explicit Builder(std::vector<uint64_t> counts);

  // Hash 0 stands for <unk>.
  void add_word(uint64_t hash, Weights weights);
  uint32_t find(std::string_view word) const;  // 0: unknown

  void begin_order(size_t n);
  // Word ids with the last word first. Says why when it cannot be.
  const char* add(std::span<const uint32_t> ids, Weights weights);

  Built finish() &&;

 private:
  struct Slot {
    uint64_t at = 0;  // of the entry's weights
    bool found = false;
  };
  Table table(size_t order) const;
  // The entry with this key, or a new one; nothing when the table is full.
  std::optional<Slot> find_or_insert(size_t order, uint64_t key);
  template <class T>
  void store(uint64_t at, T value) {
    std::memcpy(built_.bytes.data() + at, &value, sizeof value);
  }
  Weights weights_at(uint64_t at) const { return load<Weights>(built_.bytes.data() + at); }
  void mark_extends_left(uint64_t at);
  float mark_extends_right(uint64_t at);  // its backoff
  // What stands between an n-gram and the longest n-gram that ends it: blanks for those pruned.
  void fill_blanks(std::span<const uint32_t> ids, std::span<const uint64_t> between);

  std::vector<uint64_t> counts_, used_;
  bool saw_unknown_ = false;
  Built built_ = {};
};

}  // namespace helio::data::kenlm
