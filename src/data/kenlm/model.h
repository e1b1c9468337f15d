// N-gram language models in KenLM's formats: log10 probabilities equal to KenLM's to the last bit
// (the same float operations in the same order).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "data/kenlm/format.h"

namespace helio::data::kenlm {

// The words that the next one's probability depends on, last word first: no more than the model
// can use.
struct State {
  std::array<uint32_t, kMaxOrder - 1> words = {};
  std::array<float, kMaxOrder - 1> backoffs = {};
  size_t length = 0;
};

class Model {
 public:
  // Maps a binary file, or reads an ARPA file (plain, .gz, .zst) into memory. Error{not_found}, or
  // Error{invalid} when it is no such model.
  explicit Model(const std::filesystem::path& path);
  // Over the bytes of a binary file, which must outlive the model.
  Model(std::string_view bytes, const std::string& source);
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  size_t order() const { return tables_.order(); }
  uint32_t words() const { return tables_.words; }                                 // <unk> included
  uint32_t find(std::string_view word) const { return find(hash_of_word(word)); }  // 0: unknown
  const State& begin_of_sentence() const { return begin_; }

  // log10 p(word | state); `out` must be another object than `state`.
  float score(const State& state, uint32_t word, State& out) const;
  // log10 p(words </s> | <s>), added up in float as KenLM does.
  float score_sentence(std::span<const std::string_view> words) const;

 private:
  struct Bytes;
  uint32_t find(uint64_t hash) const;
  void prepare(const std::string& source);
  float score_without_backoff(const State& state, uint32_t word, State& out, size_t& length) const;
  Weights unigram(uint32_t word) const {
    return load<Weights>(tables_.unigrams + size_t(word) * kUnigramEntry);
  }

  std::unique_ptr<Bytes> bytes_;
  Tables tables_ = {};
  State begin_ = {};
  uint32_t end_of_sentence_ = 0;
};

}  // namespace helio::data::kenlm
