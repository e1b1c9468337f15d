#include "text/tokenizer/flat_trie.h"

namespace helio::text {

FlatTrie::FlatTrie(std::vector<std::pair<std::string_view, int32_t>> entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  // Breadth first: the children of a node stand side by side.
  struct Range {
    size_t begin, end, depth;
  };
  std::vector<Range> ranges = {{0, entries.size(), 0}};
  nodes_.emplace_back();
  labels_.push_back(0);
  for (size_t node = 0; node < nodes_.size(); ++node) {
    Range range = ranges[node];
    while (range.begin < range.end && entries[range.begin].first.size() == range.depth) {
      if (range.depth > 0) nodes_[node].value = entries[range.begin].second;
      ++range.begin;
    }
    nodes_[node].first = static_cast<uint32_t>(nodes_.size());
    for (size_t i = range.begin; i < range.end;) {
      const auto byte = static_cast<uint8_t>(entries[i].first[range.depth]);
      size_t end = i + 1;
      while (end < range.end && static_cast<uint8_t>(entries[end].first[range.depth]) == byte)
        ++end;
      ranges.push_back({i, end, range.depth + 1});
      nodes_.emplace_back();
      labels_.push_back(byte);
      ++nodes_[node].children;
      i = end;
    }
  }
  roots_.assign(256, 0);
  for (uint32_t i = 0; i < nodes_[0].children; ++i)
    roots_[labels_[nodes_[0].first + i]] = nodes_[0].first + i;
}

}  // namespace helio::text
