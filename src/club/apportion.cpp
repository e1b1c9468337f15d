#include "club/apportion.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace helio::club {

std::vector<int64_t> apportion(int64_t whole, std::span<const int64_t> weights) {
  // A pool in won times a token count passes 64 bits.
  __extension__ using Wide = unsigned __int128;
  if (whole < 0) throw Error(ErrorKind::invalid, "cannot share out a negative amount");
  Wide total = 0;
  for (const int64_t weight : weights) {
    if (weight < 0) throw Error(ErrorKind::invalid, "cannot share by a negative weight");
    total += static_cast<Wide>(weight);
  }
  std::vector<int64_t> shares(weights.size(), 0);
  if (whole == 0) return shares;
  if (total == 0) throw Error(ErrorKind::invalid, "nothing to share by: every weight is 0");

  std::vector<Wide> remainders(weights.size());
  int64_t left = whole;
  for (size_t i = 0; i < weights.size(); ++i) {
    const Wide product = static_cast<Wide>(whole) * static_cast<Wide>(weights[i]);
    shares[i] = static_cast<int64_t>(product / total);
    remainders[i] = product % total;
    left -= shares[i];
  }
  std::vector<size_t> order(weights.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return remainders[a] > remainders[b]; });
  for (size_t i = 0; i < static_cast<size_t>(left); ++i) ++shares[order[i]];
  return shares;
}

}  // namespace helio::club
