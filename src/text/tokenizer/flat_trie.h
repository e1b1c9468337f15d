// Strings to numbers as a trie laid out in flat arrays: all strings that begin a text, shortest
// first, without a hash or an allocation.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace helio::text {

class FlatTrie {
 public:
  FlatTrie() = default;
  // Of equal strings the last counts; empty ones are left out.
  explicit FlatTrie(std::vector<std::pair<std::string_view, int32_t>> entries);

  // Calls visit(size_t length, int32_t value) for each entry that `text` begins with.
  template <class Visit>
  void prefixes(std::string_view text, Visit&& visit) const {
    if (nodes_.empty() || text.empty()) return;
    uint32_t node = roots_[static_cast<uint8_t>(text[0])];
    for (size_t i = 0; node != 0;) {
      const Node& at = nodes_[node];
      if (at.value >= 0) visit(i + 1, at.value);
      if (++i >= text.size()) return;
      node = child(at, static_cast<uint8_t>(text[i]));
    }
  }

 private:
  struct Node {
    uint32_t first = 0;  // child, the others follow it
    uint32_t children = 0;
    int32_t value = -1;
  };
  uint32_t child(const Node& node, uint8_t byte) const {
    const uint8_t* begin = labels_.data() + node.first;
    const uint8_t* end = begin + node.children;
    if (node.children <= 8) {
      for (const uint8_t* i = begin; i != end; ++i)
        if (*i == byte) return static_cast<uint32_t>(i - labels_.data());
      return 0;
    }
    const uint8_t* found = std::lower_bound(begin, end, byte);
    return found != end && *found == byte ? static_cast<uint32_t>(found - labels_.data()) : 0;
  }

  std::vector<Node> nodes_ = {};      // 0 is the root
  std::vector<uint8_t> labels_ = {};  // the byte that leads to each node
  std::vector<uint32_t> roots_ = {};  // the root's children by byte
};

}  // namespace helio::text
