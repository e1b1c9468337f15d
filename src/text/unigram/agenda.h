// Open parts of cuts, the one with the best bound first. A heap of four children a node that moves
// elements as the one in HF tokenizers does (a Rust BinaryHeap, of arity four), in which equal
// elements compare as greater: so of cuts with equal bounds the same one comes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace helio::text::unigram {

class Agenda {
 public:
  struct Item {
    double bound = 0;
    uint32_t part = 0;
  };

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }

  void push(Item item) {
    items_.push_back(item);
    rise(items_.size() - 1);
  }

  Item pop() {
    Item item = items_.back();
    items_.pop_back();
    if (!items_.empty()) {
      std::swap(item, items_[0]);
      sink_to_bottom();
    }
    return item;
  }

  void keep_best(size_t count) {
    Agenda best;
    while (count-- > 0 && !empty()) best.push(pop());
    *this = std::move(best);
  }

 private:
  static constexpr size_t kArity = 4;

  bool below(size_t a, size_t b) const { return items_[a].bound < items_[b].bound; }
  size_t larger(size_t a, size_t b) const { return below(a, b) ? b : a; }

  void rise(size_t at) {
    const Item item = items_[at];
    while (at > 0) {
      const size_t parent = (at - 1) / kArity;
      if (item.bound < items_[parent].bound) break;
      items_[at] = items_[parent];
      at = parent;
    }
    items_[at] = item;
  }

  void sink_to_bottom() {
    const Item item = items_[0];
    const size_t end = items_.size();
    size_t at = 0, child = 1;
    for (; child + kArity <= end; child = kArity * at + 1) {
      child = larger(larger(child, child + 1), larger(child + 2, child + 3));
      items_[at] = items_[child];
      at = child;
    }
    if (child < end) {
      for (size_t other = child + 1; other < end; ++other) child = larger(child, other);
      items_[at] = items_[child];
      at = child;
    }
    items_[at] = item;
    rise(at);
  }

  std::vector<Item> items_ = {};
};

}  // namespace helio::text::unigram
