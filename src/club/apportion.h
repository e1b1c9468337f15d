// Integers shared out in proportion to integers, with nothing lost and nothing made up.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace helio::club {

// Shares of `whole` in proportion to `weights`, by the largest-remainder (Hamilton) method: each
// gets the floor of its exact share, and the units left go to the largest remainders, ties to the
// earlier one. The result sums to `whole` exactly. Callers who must not depend on order put the
// weights into an order of their own (by name).
// Errors: a negative whole or weight, or a whole above 0 with no weight at all (invalid).
std::vector<int64_t> apportion(int64_t whole, std::span<const int64_t> weights);

}  // namespace helio::club
