// Many lists of words, each made once with its size and dropped once; most have one word.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "text/train/symbol_words.h"

namespace helio::text {

class WordLists {
 public:
  using Place = SymbolWords::Place;
  struct List {
    uint32_t chunk = kInline;
    uint32_t at = 0;  // with kInline the only word itself
  };

  // A list whose words are still to be written.
  List make(uint32_t size) {
    if (size == 1) return {};
    const uint32_t room = size + 1;
    List list;
    if (room > kLargestBlock) {
      list = {new_chunk(room), 0};
    } else {
      auto& free = free_[static_cast<size_t>(std::bit_width(room - 1))];
      const uint32_t block = std::bit_ceil(room);
      if (!free.empty()) {
        list = free.back();
        free.pop_back();
      } else {
        if (left_ < block) {
          current_ = new_chunk(kChunk);
          left_ = kChunk;
        }
        list = {current_, kChunk - left_};
        left_ -= block;
      }
    }
    chunks_[list.chunk][list.at] = size;
    return list;
  }
  uint32_t size(const List& list) const {
    return list.chunk == kInline ? 1 : chunks_[list.chunk][list.at];
  }
  Place* words(List& list) {
    return list.chunk == kInline ? &list.at : &chunks_[list.chunk][list.at + 1];
  }
  void drop(const List& list) {
    if (list.chunk == kInline) return;
    const uint32_t room = size(list) + 1;
    if (room <= kLargestBlock) {
      free_[static_cast<size_t>(std::bit_width(room - 1))].push_back(list);
    } else {
      chunks_[list.chunk].reset();
      free_chunks_.push_back(list.chunk);
    }
  }

 private:
  static constexpr uint32_t kInline = UINT32_MAX, kChunk = 1 << 18, kLargestBlock = 1 << 14;
  uint32_t new_chunk(uint32_t room) {
    auto made = std::make_unique_for_overwrite<uint32_t[]>(room);
    if (free_chunks_.empty()) {
      chunks_.push_back(std::move(made));
      return static_cast<uint32_t>(chunks_.size() - 1);
    }
    const uint32_t chunk = free_chunks_.back();
    free_chunks_.pop_back();
    chunks_[chunk] = std::move(made);
    return chunk;
  }

  std::vector<std::unique_ptr<uint32_t[]>> chunks_ = {};
  std::vector<uint32_t> free_chunks_ = {};
  std::array<std::vector<List>, 15> free_ = {};  // by the logarithm of the block's size
  uint32_t current_ = 0, left_ = 0;
};

}  // namespace helio::text
