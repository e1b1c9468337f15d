#include "train/distributed/share.h"

#include <algorithm>
#include <numeric>

namespace helio::train::distributed {

std::vector<int64_t> spread(const std::vector<int64_t>& sizes, int64_t ranks) {
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::vector<int64_t> owners(sizes.size()), load(static_cast<size_t>(ranks));
  for (const size_t i : order) {
    const auto least = std::min_element(load.begin(), load.end());
    owners[i] = least - load.begin();
    *least += sizes[i];
  }
  return owners;
}

namespace {

// Whose each row of a step is, and how many of them go through the model at once.
struct Division {
  std::vector<int64_t> owners = {};
  size_t room = 1;
};

Division divide(const std::vector<MicroBatch>& step, int64_t size) {
  Division division;
  std::vector<int64_t> lengths;
  for (const MicroBatch& batch : step) {
    division.room = std::max(division.room, batch.rows.size());
    for (const Row& row : batch.rows) lengths.push_back(static_cast<int64_t>(row.inputs.size()));
  }
  division.owners = spread(lengths, size);
  return division;
}

}  // namespace

size_t most_passes(const std::vector<MicroBatch>& step, int64_t size) {
  const auto [owners, room] = divide(step, size);
  std::vector<size_t> rows(static_cast<size_t>(size));
  for (const int64_t owner : owners) ++rows[static_cast<size_t>(owner)];
  return (*std::max_element(rows.begin(), rows.end()) + room - 1) / room;
}

std::vector<MicroBatch> share_of(const std::vector<MicroBatch>& step, int64_t rank, int64_t size) {
  const auto [owners, room] = divide(step, size);
  std::vector<MicroBatch> mine;
  size_t next = 0;
  for (const MicroBatch& batch : step)
    for (size_t i = 0; i < batch.rows.size(); ++i, ++next) {
      if (owners[next] != rank) continue;
      if (mine.empty() || mine.back().rows.size() == room) {
        mine.emplace_back();
        mine.back().chosen_tokens = batch.chosen_tokens;
        mine.back().whole_tokens = batch.whole_tokens;
      }
      mine.back().rows.push_back(batch.rows[i]);
      if (i < batch.pairs.size()) mine.back().pairs.push_back(batch.pairs[i]);
    }
  return mine;
}

std::vector<MicroBatch> whole_share_of(const std::vector<MicroBatch>& step, int64_t rank,
                                       int64_t size) {
  std::vector<MicroBatch> mine;
  if (step.size() == 1) {
    mine = share_of(step, rank, size);
    for (MicroBatch& batch : mine) batch.divided = true;
    return mine;
  }
  std::vector<int64_t> lengths;
  for (const MicroBatch& batch : step) {
    lengths.push_back(0);
    for (const Row& row : batch.rows) lengths.back() += static_cast<int64_t>(row.inputs.size());
  }
  const std::vector<int64_t> owners = spread(lengths, size);
  for (size_t i = 0; i < step.size(); ++i)
    if (owners[i] == rank) mine.push_back(step[i]);
  return mine;
}

}  // namespace helio::train::distributed
