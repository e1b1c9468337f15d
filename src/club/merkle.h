// Merkle roots as in RFC 6962, section 2.1: a partner who keeps the hashes of its documents can
// recompute a lot's root without us, and one changed, missing or added document changes it.
#pragma once

#include <vector>

#include "core/hash.h"

namespace helio::club {

// SHA-256(0x00 || data): what stands at the bottom of the tree.
Sha256 merkle_leaf(const Sha256& data);
// SHA-256(0x01 || left || right).
Sha256 merkle_node(const Sha256& left, const Sha256& right);
// The root over leaf hashes in the given order. No leaves: SHA-256 of nothing, as the RFC says.
Sha256 merkle_root(std::vector<Sha256> leaves);

std::string hex(const Sha256& hash);

}  // namespace helio::club
