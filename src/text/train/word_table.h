// How often each of many byte strings occurs: open addressing over an arena, a few bytes a word
// beyond its own.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace helio::text {

class WordTable {
 public:
  // A word longer than 4 GiB is Error{failed}, and so are more than 4 billion of them.
  void add(std::string_view word, int64_t count = 1);
  void add(const WordTable& other);
  size_t size() const { return words_; }
  // What it holds in memory, in bytes.
  size_t memory() const;
  void clear();

  // visit(std::string_view word, int64_t count), in the order in which words were first added. A
  // word lies at the same address until clear().
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const auto& chunk : chunks_) visit_chunk(chunk, visit);
  }
  // The same, and the table is empty afterwards: its memory is freed on the way.
  template <class Visit>
  void drain(Visit&& visit) {
    slots_ = {};
    for (auto& chunk : chunks_) {
      visit_chunk(chunk, visit);
      chunk = {};
    }
    clear();
  }

 private:
  struct Head {  // before each word's bytes
    int64_t count = 0;
    uint32_t size = 0;
    uint32_t hash = 0;  // its lower half
  };
  struct Chunk {
    std::unique_ptr<char[]> bytes = {};
    size_t size = 0, used = 0;
  };
  struct Slot {
    uint32_t hash = 0;
    uint32_t chunk = kFree;
    uint32_t at = 0;  // in units of 8 bytes
  };
  static constexpr uint32_t kFree = UINT32_MAX;
  static constexpr size_t kChunk = size_t(1) << 20;

  static Head head_at(const char* bytes) {
    Head head;
    std::memcpy(&head, bytes, sizeof head);
    return head;
  }
  template <class Visit>
  static void visit_chunk(const Chunk& chunk, Visit&& visit) {
    for (size_t at = 0; at < chunk.used;) {
      const Head head = head_at(chunk.bytes.get() + at);
      visit(std::string_view(chunk.bytes.get() + at + sizeof(Head), head.size), head.count);
      at += room_of(head.size);
    }
  }
  static size_t room_of(size_t size) { return (sizeof(Head) + size + 7) & ~size_t(7); }
  void put(Slot& slot, uint32_t hash, std::string_view word, int64_t count);
  void grow();

  std::vector<Slot> slots_ = {};
  std::vector<Chunk> chunks_ = {};
  size_t words_ = 0;
};

}  // namespace helio::text
