// Byte-level BPE of Korean words from whole syllables instead of single bytes. A syllable's three
// bytes merge in the same way in every word, as long as no merge over its border comes first; where
// that is so, merging begins with what syllables become alone, a third of the symbols.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer/big_pages.h"
#include "text/tokenizer/merge_table.h"

namespace helio::text {

// What is the same for all threads: merges that reach over a syllable's border while one side of it
// is not merged yet.
class SyllableRules {
 public:
  static constexpr uint32_t kNone = MergeTable::kNone;

  SyllableRules(const MergeTable& merges, const std::array<TokenId, 256>& byte_ids);

  // The lowest ranks of merges of a token with the first one or two bytes of a syllable behind it,
  // and with the last one or two before it.
  struct Border {
    std::array<uint32_t, 2> behind = {kNone, kNone}, before = {kNone, kNone};
  };
  Border border(TokenId id) const {
    const auto found = borders_.find(id);
    return found == borders_.end() ? Border() : found->second;
  }
  const MergeTable& merges() const { return merges_; }
  TokenId byte_id(char byte) const { return byte_ids_[static_cast<uint8_t>(byte)]; }

 private:
  const MergeTable& merges_;
  const std::array<TokenId, 256>& byte_ids_;
  std::unordered_map<TokenId, Border> borders_ = {};
};

// The syllables that one thread has seen.
class SyllableStarts {
 public:
  // Sets `ids` to those of the syllables, and of ASCII bytes between them, and `ranks` to those of
  // the merges of neighbours; merging them gives the same as merging bytes. False where that is
  // not certain, or the word has other characters.
  bool start(const SyllableRules& rules, std::string_view word, std::vector<TokenId>& ids,
             std::vector<uint32_t>& ranks);
  // Whether it is worth asking: false once the words so far have shown that the vocabulary has few
  // syllables.
  bool pays() const { return words_ < kTrial || 2 * symbols_ < bytes_; }

 private:
  static constexpr size_t kTrial = 200;  // words

  // An ASCII byte, a syllable, or a space and a syllable: it is merged from its bytes step by step.
  // Of the ranks of next steps the highest, and one: 0 is none.
  struct alignas(64) Unit {
    enum class State : uint8_t { unknown, known, unusable };
    std::array<TokenId, 4> ids = {};  // at the end
    SyllableRules::Border border = {};
    // By the bytes of the symbol at the left and at the right edge, where those are one or two.
    std::array<uint32_t, 2> left_steps = {}, right_steps = {};
    uint32_t whole_steps = 0;  // where a space is still alone beside the whole syllable
    TokenId whole = -1;        // that syllable
    uint8_t count = 0;
    State state = State::unknown;

    uint32_t steps() const;  // the highest of all
  };
  static_assert(sizeof(Unit) == 64);

  const Unit& unit(const SyllableRules& rules, uint32_t number);
  bool is_clear(const SyllableRules& rules, uint32_t left, uint32_t right);
  bool look_closely(const SyllableRules& rules, uint32_t left, uint32_t right);

  bool start_word(const SyllableRules& rules, std::string_view word, std::vector<TokenId>& ids,
                  std::vector<uint32_t>& ranks);

  size_t words_ = 0, symbols_ = 0, bytes_ = 0;  // of the first words
  BigVector<Unit> units_ = {};
  std::vector<uint32_t> looked_ = {};  // borders looked at closely: their units and the answer
};

}  // namespace helio::text
