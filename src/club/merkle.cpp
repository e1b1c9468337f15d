#include "club/merkle.h"

#include <string>
#include <string_view>

namespace helio::club {
namespace {

std::string_view view(const Sha256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace

Sha256 merkle_leaf(const Sha256& data) {
  std::string bytes(1, '\x00');
  bytes.append(view(data));
  return sha256(bytes);
}

Sha256 merkle_node(const Sha256& left, const Sha256& right) {
  std::string bytes(1, '\x01');
  bytes.append(view(left)).append(view(right));
  return sha256(bytes);
}

Sha256 merkle_root(std::vector<Sha256> level) {
  if (level.empty()) return sha256("");
  // The RFC splits at the largest power of two below the count. Joining neighbours level by level
  // and carrying an odd last one up unchanged gives the same tree.
  while (level.size() > 1) {
    size_t kept = 0;
    for (size_t i = 0; i + 1 < level.size(); i += 2)
      level[kept++] = merkle_node(level[i], level[i + 1]);
    if (level.size() % 2 == 1) level[kept++] = level.back();
    level.resize(kept);
  }
  return level.front();
}

std::string hex(const Sha256& hash) { return to_hex(view(hash)); }

}  // namespace helio::club
